import type { Failure, Report, Scenario } from '../sim/mod.ts';
import { isProof, type SeedsResult } from './simulation-summary.ts';

/** What `shoal simulate -o json` prints for a run that kept all promises. */
export function reportJson(report: Report, scenario: Scenario): object {
  const { requests, vms } = report;
  return {
    ok: true,
    seed: report.seed,
    simulated_ms: report.simulatedMs,
    requests: {
      sent: requests.sent,
      ok: requests.ok,
      failed: requests.failed,
      latency_ms: requests.latencyMs,
      queued_ms: requests.queuedMs,
      // The former name of the latency.
      wait_ms: requests.latencyMs,
    },
    vms: {
      started: vms.started,
      ready: vms.ready,
      ended: vms.ended,
      cold_starts: vms.coldStarts,
      peak: vms.peak,
      vm_seconds: vms.vmSeconds,
      bytes_allocated_over_used: vms.bytesAllocatedOverUsed,
    },
    hosts: report.hosts.map(({ host, started, vms: running, takenIn, worked, workedForOthers }) => {
      return { host, started, vms: running, taken_in: takenIn, worked, worked_for_others: workedForOthers };
    }),
    counts: report.counts,
    rules: report.rules,
    rule_events: report.ruleEvents,
    samples: report.samples.map(({ atMs, sent, vms: count, latencyP95Ms }) => {
      return { at_ms: atMs, sent, vms: count, latency_p95_ms: latencyP95Ms, wait_p95_ms: latencyP95Ms };
    }),
    events: report.events,
    history: report.history,
    scenario: withoutRows(scenario),
  };
}

/** For a run that broke one. */
export function failureJson({ kind, message, atMs }: Failure, history: string, scenario: Scenario): object {
  return {
    ok: false,
    seed: scenario.seed,
    failure: { kind, message, at_ms: atMs },
    history,
    scenario: withoutRows(scenario),
  };
}

/** For `--seeds`. */
export function seedsJson(result: SeedsResult): object {
  const { runs, requests, events, failures, counts, rules, failedRequests } = result.summary;
  const { missed, isInterrupted } = result;
  return {
    ok: isProof(result),
    interrupted: isInterrupted,
    runs,
    requests,
    failed_requests: failedRequests,
    events,
    failures: failures.map(({ seed, failure: { kind, message, atMs } }) => {
      return { seed, failure: { kind, message, at_ms: atMs } };
    }),
    missed,
    counts,
    rules,
  };
}

/** A trace may have millions. */
function withoutRows({ load, ...others }: Scenario): object {
  return { ...others, load: load.kind === 'trace' ? { ...load, rows: load.rows.length } : load };
}
