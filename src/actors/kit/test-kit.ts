import type { ErrorEnvelope } from '../../errors.ts';
import type { ActorSystem } from '../behaviour.ts';
import { BOOLEAN, checkOptions, type Rules, WHOLE_NUMBER } from '../checks.ts';
import { silentLogger } from '../log.ts';
import { createSystem, SYSTEM_RULES, type SystemOptions } from '../system.ts';
import { CopyingMailbox } from './copy-message.ts';
import { CLOCK_RULES, ManualClock } from './manual-clock.ts';
import { type Probe, type ProbeOptions, probe } from './probe.ts';
import { QuietScheduler } from './quiet-scheduler.ts';
import { seededChance } from './seeded-random.ts';
import { SeededScheduler } from './seeded-scheduler.ts';

export interface TestKitOptions extends Omit<SystemOptions, 'clock' | 'scheduler' | 'mailbox'> {
  /** The wall clock's first reading, milliseconds since the epoch. */
  readonly nowMs?: number;
  /** Copies each message, as if its receiver lived on another host; default false. */
  readonly copyMessages?: boolean;
  /**
   * Lets this seed decide chance and which actor takes its turn next, so that an interleaving can be repeated. A turn then has
   * one message unless `throughput` says otherwise. Default: the order of production. `interleavings` tries many
   * seeds.
   */
  readonly seed?: number;
}

/** An actor system for tests, in which time stands still until the test moves it: `await using kit = testKit();`. */
export interface TestKit extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly clock: ManualClock;
  /**
   * The seed of its options. A test that draws its own plan from the seed, with `seededRandom`, is repeated as a
   * whole.
   */
  readonly seed: number | undefined;
  /** The failures of actors, oldest first: those that ended with an error, and those that were resumed. */
  readonly failures: readonly Failure[];
  /** Runs the actors until none has mail. Does not wait for I/O: use a probe with `patience` for that. */
  settle(): Promise<void>;
  /** Moves time on by `ms`. The actors run until none has mail before, between and after the timers that fall due. */
  advance(ms: number): Promise<void>;
  /** A probe that stops waiting as soon as no actor has mail, unless it is given another `patience`. */
  probe<M>(options?: ProbeOptions): Probe<M>;
  /** Stops all actors, and moves time on as far as their stop timeouts need. */
  shutdown(): Promise<void>;
}

export interface Failure {
  readonly path: string;
  readonly error: ErrorEnvelope;
}

const { clock: _clock, scheduler: _scheduler, mailbox: _mailbox, ...OTHER_RULES } = SYSTEM_RULES;

export const KIT_RULES: Rules<TestKitOptions> = {
  ...OTHER_RULES,
  nowMs: CLOCK_RULES.nowMs,
  copyMessages: BOOLEAN,
  seed: WHOLE_NUMBER,
};

/** On the manual clock. What has not stopped by then is abandoned, however long its limit is. */
const SHUTDOWN_MS_MAX = 60_000;

export function testKit(options: TestKitOptions = {}): TestKit {
  checkOptions('a test kit', options, KIT_RULES);
  const { nowMs, copyMessages, seed, ...systemOptions } = options;
  const scheduler = new QuietScheduler(seed === undefined ? undefined : new SeededScheduler(seed));
  const settle = (): Promise<void> => scheduler.settle();
  const clock = new ManualClock(nowMs === undefined ? { settle } : { settle, nowMs });
  const failures: Failure[] = [];
  const system = createSystem({
    ...(seed === undefined ? {} : { throughput: 1, random: seededChance(seed) }),
    // A test looks at `failures` and at the dead letters of the system.
    logger: silentLogger,
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
    const ended = system.shutdown(SHUTDOWN_MS_MAX).then(() => {
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
