import type { ErrorEnvelope } from '../../errors.ts';
import { type ActorSystem, createSystem, type SystemOptions } from '../system.ts';
import { CopyingMailbox } from './copy-message.ts';
import { ManualClock } from './manual-clock.ts';
import { type Probe, type ProbeOptions, probe } from './probe.ts';
import { QuietScheduler } from './quiet-scheduler.ts';
import { SeededScheduler } from './seeded-scheduler.ts';

export interface TestKitOptions extends Omit<SystemOptions, 'clock' | 'scheduler' | 'mailbox'> {
  /** The wall clock's first reading, milliseconds since the epoch. */
  readonly nowMs?: number;
  /** Copies every message as if its receiver lived on another host; default false. */
  readonly copyMessages?: boolean;
  /**
   * Lets this seed decide who takes his turn next, with one message a turn unless `throughput` says otherwise, so that an
   * interleaving can be replayed; default: the order of production. `interleavings` tries many seeds.
   */
  readonly seed?: number;
}

/** An actor system whose time stands still until it is moved, for tests of actors: `await using kit = testKit();`. */
export interface TestKit extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly clock: ManualClock;
  /** The seed that it was given; a test that draws its own plan from it, with `seededRandom`, is replayed as a whole. */
  readonly seed: number | undefined;
  /** Actors that ended with an error, oldest first. */
  readonly failures: readonly Failure[];
  /** Lets the actors run until none has mail. Does not wait for I/O: for that use a probe with `patience`. */
  settle(): Promise<void>;
  /** Moves time on by `ms`; the actors run until none has mail before, between and after the timers that fall due. */
  advance(ms: number): Promise<void>;
  /** A probe whose patience ends as soon as nothing moves any more, unless it is given another. */
  probe<M>(options?: ProbeOptions): Probe<M>;
  /** Stops every actor, moving time on as far as their stop timeouts need it. */
  shutdown(): Promise<void>;
}

export interface Failure {
  readonly path: string;
  readonly error: ErrorEnvelope;
}

/** No stop takes longer than this on the manual clock, unless it was given a longer limit. */
const SHUTDOWN_MS_MAX = 60_000;

export function testKit(options: TestKitOptions = {}): TestKit {
  const { nowMs, copyMessages, seed, ...systemOptions } = options;
  const scheduler = new QuietScheduler(seed === undefined ? undefined : new SeededScheduler(seed));
  const settle = (): Promise<void> => scheduler.settle();
  const clock = new ManualClock(nowMs === undefined ? { settle } : { settle, nowMs });
  const failures: Failure[] = [];
  const system = createSystem({
    ...(seed === undefined ? {} : { throughput: 1 }),
    ...systemOptions,
    clock,
    scheduler,
    ...(copyMessages === true ? { mailbox: <M>() => new CopyingMailbox<M>() } : {}),
    onFailure: (path, error) => {
      failures.push({ path, error });
      options.onFailure?.(path, error);
    },
  });
  const shutdown = async (): Promise<void> => {
    let over = false;
    const ended = system.shutdown().then(() => {
      over = true;
    });
    await settle();
    if (!over) await clock.advance(SHUTDOWN_MS_MAX);
    await ended;
  };
  return {
    system,
    clock,
    seed,
    failures,
    settle,
    advance: (ms) => clock.advance(ms),
    probe: (probeOptions = {}) => probe(system, { patience: settle, ...probeOptions }),
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}
