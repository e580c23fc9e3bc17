import type { Bar } from './latencies.ts';
import type { Pace } from './pace.ts';
import type { Load } from './run.ts';

/** What `shoal load -o json` prints: stable, like everything that `-o json` prints. */
export interface LoadReport {
  /** The pace that was requested. */
  readonly pace: 'rate' | 'concurrency';
  /** Requests a second, or in flight. */
  readonly pace_value: number;
  readonly ramp_s: number;
  readonly op: string | null;
  /** Of each text. */
  readonly bytes: number;
  /** From the start to the end of the last request. */
  readonly duration_s: number;
  readonly interrupted: boolean;
  /** Sent: ok, failed and cancelled together. */
  readonly requests: number;
  readonly ok: number;
  readonly failed: number;
  /** In flight when it was interrupted. */
  readonly cancelled: number;
  /** Due and not sent, because 10000 were in flight until the end of the time. */
  readonly not_sent: number;
  /** Failed requests by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** VMs that answered. */
  readonly vms: number;
  /** Successful requests only. */
  readonly requests_per_s: number;
  /** Successful requests only; null if there are none. Measured from the due time (--rate) or the sending to the reply. */
  readonly latency_ms: LatencyMs | null;
  readonly histogram: readonly HistogramBar[];
}

interface LatencyMs {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** Latencies from `from_ms` up to, not including, `to_ms`. */
export interface HistogramBar {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly count: number;
}

export interface Reported {
  readonly load: Load;
  readonly pace: Pace;
  readonly op: string | undefined;
  readonly bytes: number;
  readonly isInterrupted: boolean;
}

export function reportOf({ load, pace, op, bytes, isInterrupted }: Reported): LoadReport {
  const { tally, elapsedMs } = load;
  return {
    pace: pace.kind,
    pace_value: pace.kind === 'rate' ? pace.perSecond : pace.clients,
    ramp_s: pace.rampMs / 1000,
    op: op ?? null,
    bytes,
    duration_s: round3(elapsedMs / 1000),
    interrupted: isInterrupted,
    requests: tally.sent,
    ok: tally.ok,
    failed: tally.failed,
    cancelled: tally.cancelled,
    not_sent: load.notSent,
    errors: tally.errors,
    vms: tally.vmCount,
    requests_per_s: elapsedMs === 0 ? 0 : round3(tally.ok / (elapsedMs / 1000)),
    latency_ms: latencyOf(load),
    histogram: tally.latencies.bars().map(barOf),
  };
}

function latencyOf({ tally }: Load): LatencyMs | null {
  const summary = tally.latencies.summary();
  if (summary === undefined) return null;
  return {
    min: round3(summary.minMs),
    mean: round3(summary.meanMs),
    p50: round3(summary.p50Ms),
    p90: round3(summary.p90Ms),
    p99: round3(summary.p99Ms),
    p99_9: round3(summary.p999Ms),
    max: round3(summary.maxMs),
  };
}

function barOf({ fromMs, toMs, count }: Bar): HistogramBar {
  return { from_ms: fromMs, to_ms: toMs, count };
}

function round3(figure: number): number {
  return Math.round(figure * 1000) / 1000;
}
