import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../src/actors/mod.ts';
import { type Client, connect } from '../src/client/mod.ts';
import { ShoalError } from '../src/errors.ts';
import { Latencies, startLoad, type Tally } from '../src/load/mod.ts';
import { type Document, documents, isRight } from './documents.ts';
import { heading, lineOf, type Moment } from './timeline.ts';
import type { Figures } from './verdict.ts';
import { Watch } from './watch.ts';

export interface DemoOptions {
  readonly servers: string;
  readonly fleet: string;
  /** Addresses in the pool: as many VMs as there can be. */
  readonly vmsMax: number;
  readonly isColoured: boolean;
  readonly print: (line: string) => void;
  /** Ends the demo at once. */
  readonly signal: AbortSignal;
}

/** Each burst is larger than the one before. A pause after each leaves the VMs idle. */
const BURSTS = [
  { clients: 4, durationMs: 6_000 },
  { clients: 8, durationMs: 6_000 },
  { clients: 16, durationMs: 6_000 },
];
const PAUSE_MS_MIN = 3_000;
/** Long enough for surplus VMs to leave, even on a busy machine. */
const PAUSE_MS_MAX = 20_000;
const MOMENT_MS = 500;
const DEADLINE_MS = 20_000;
/** The VM that the fleet keeps. */
const VMS_MIN = 1;

/** Sends bursts of documents, compares each answer, and shows what the fleet does meanwhile. */
export async function demo(options: DemoOptions): Promise<Figures> {
  await using client = await connect({ servers: options.servers, fleet: options.fleet, name: 'shoal-demo' });
  await using watch = await Watch.open(options.servers, options.fleet);
  const run = new Run(client, watch, options);
  options.print(heading(options.vmsMax, options.isColoured));
  const showing = new AbortController();
  const shown = run.show(showing.signal);
  try {
    for (const { clients, durationMs } of BURSTS) {
      await run.burst(clients, durationMs);
      await run.rest();
    }
  } finally {
    showing.abort();
    await shown;
  }
  return run.figures();
}

class Run {
  readonly #client: Client;
  readonly #watch: Watch;
  readonly #options: DemoOptions;
  readonly #documents = documents();
  readonly #latencies = new Latencies();
  readonly #tallies: Tally[] = [];
  readonly #startMs = performance.now();

  constructor(client: Client, watch: Watch, options: DemoOptions) {
    this.#client = client;
    this.#watch = watch;
    this.#options = options;
  }

  async burst(clients: number, durationMs: number): Promise<void> {
    const load = startLoad({
      pace: { kind: 'concurrency', clients, rampMs: 0 },
      bounds: { durationMs, requestsMax: Number.MAX_SAFE_INTEGER, inFlightMax: clients },
      send: (index, signal) =>
        this.#send(this.#documents[index % this.#documents.length] ?? this.#documents[0], signal),
      clock: systemClock,
      signal: this.#options.signal,
    });
    this.#tallies.push(load.tally);
    await load.done;
    this.#options.signal.throwIfAborted();
  }

  /** Waits until only the VM that stays is left. */
  async rest(): Promise<void> {
    const { signal } = this.#options;
    for (let waitedMs = 0; waitedMs < PAUSE_MS_MAX; waitedMs += MOMENT_MS) {
      await pause(signal);
      signal.throwIfAborted();
      if (waitedMs >= PAUSE_MS_MIN && (await this.#watch.snapshot()).vms.length <= VMS_MIN) return;
    }
  }

  /** Prints a line per moment until aborted. */
  async show(signal: AbortSignal): Promise<void> {
    const { vmsMax, isColoured, print } = this.#options;
    let before = { atMs: 0, ended: 0, started: 0, gone: 0 };
    for (; !signal.aborted; await pause(signal)) {
      const snapshot = await this.#watch.snapshot().catch(() => undefined);
      // A fleet that does not answer shows in the request counts; this line is left out.
      if (snapshot === undefined) continue;
      const { sent, ok, failed, inFlight } = this.#sums();
      const elapsedMs = performance.now() - this.#startMs;
      const ended = ok + failed;
      const moment: Moment = {
        elapsedMs,
        vms: snapshot.vms,
        requests: sent,
        perSecond: ((ended - before.ended) * 1000) / Math.max(1, elapsedMs - before.atMs),
        inFlight,
        started: this.#watch.started - before.started,
        gone: this.#watch.gone - before.gone,
        errors: failed,
      };
      before = { atMs: elapsedMs, ended, started: this.#watch.started, gone: this.#watch.gone };
      print(lineOf(moment, vmsMax, isColoured));
    }
  }

  figures(): Figures {
    const { sent, ok } = this.#sums();
    const summary = this.#latencies.summary();
    return {
      requests: sent,
      ok,
      errors: sent - ok,
      vms_started: this.#watch.started,
      vms_stopped: this.#watch.gone,
      p50_ms: summary?.p50Ms ?? 0,
      p99_ms: summary?.p99Ms ?? 0,
    };
  }

  async #send({ text, expected }: Document, signal: AbortSignal): Promise<{ vm: number | undefined }> {
    const reply = await this.#client.request(text, { op: 'count', deadlineMs: DEADLINE_MS, signal });
    if (!isRight(reply.text, expected)) {
      const why = `VM ${reply.vm} counted ${reply.text.slice(0, 200)}, and Node ${JSON.stringify(expected)}`;
      this.#options.print(`wrong answer: ${why}`);
      throw new ShoalError('INTERNAL', why);
    }
    this.#latencies.record(reply.ms);
    return reply;
  }

  #sums(): Pick<Tally, 'sent' | 'ok' | 'failed' | 'inFlight'> {
    const sum = (figure: (tally: Tally) => number): number =>
      this.#tallies.reduce((all, tally) => all + figure(tally), 0);
    return {
      sent: sum(({ sent }) => sent),
      ok: sum(({ ok }) => ok),
      failed: sum(({ failed }) => failed),
      inFlight: sum(({ inFlight }) => inFlight),
    };
  }
}

/** Resolves after a moment, or when the signal says so. */
async function pause(signal: AbortSignal): Promise<void> {
  await setTimeout(MOMENT_MS, undefined, { signal }).catch(() => undefined);
}
