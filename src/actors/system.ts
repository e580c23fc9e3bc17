import { Adapter } from './adapter.ts';
import { addresseeOf, drainOf } from './addressee.ts';
import { ask } from './ask.ts';
import type { ActorSystem } from './behaviour.ts';
import { Cell } from './cell.ts';
import { checked, checkOptions, FUNCTION, objectWith, type Rules, TEXT, WHOLE_FROM_1 } from './checks.ts';
import { type Clock, systemClock } from './clock.ts';
import { startActor } from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { guarded, type Hooks } from './hooks.ts';
import type { Kernel } from './kernel.ts';
import { type Logger, SystemLog, stderrLogger } from './log.ts';
import { Mailbox } from './mailbox.ts';
import { offer } from './offer.ts';
import { checkedLimit } from './options.ts';
import { Pace, UNPACED } from './pace.ts';
import { type Random, systemRandom } from './random.ts';
import type { Exit, Ref } from './ref.ts';
import { ReplyRef } from './reply-ref.ts';
import { FairScheduler, type Scheduler } from './scheduler.ts';
import { shownByPath } from './shown-by-path.ts';
import { rooted, type Tracing } from './tracing.ts';
import { treeOf } from './tree.ts';

export interface SystemOptions extends Hooks {
  /** Carries trace contexts with the messages; default: none are carried. */
  readonly tracing?: Tracing;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: the machine's chance. */
  readonly random?: Random;
  /** Default: first come, first served. */
  readonly scheduler?: Scheduler;
  /** How many messages an actor handles before the next actor gets its turn; default 64. */
  readonly throughput?: number;
  /** Makes the mailbox of each actor; default: a ring that grows. */
  readonly mailbox?: <M>() => Mailbox<M>;
  /** The name of the thread that the actors live on, which `tree()` shows; default `main`. */
  readonly shard?: string;
  /** Takes the failures for which there is no `onFailure`, and dead letters likewise; default: standard error. */
  readonly logger?: Logger;
}

// All classes of refs of a system.
for (const { prototype } of [Cell, Adapter, ReplyRef]) shownByPath(prototype);

const THROUGHPUT_DEFAULT = 64;

export const SYSTEM_RULES: Rules<SystemOptions> = {
  tracing: objectWith('current', 'within', 'handle', 'toText', 'fromText'),
  clock: objectWith('now', 'monotonic', 'timer', 'soon'),
  random: objectWith('fraction', 'bytes'),
  scheduler: objectWith('schedule'),
  throughput: WHOLE_FROM_1,
  mailbox: FUNCTION,
  shard: TEXT,
  logger: objectWith('warn', 'error'),
  onSpawn: FUNCTION,
  onStop: FUNCTION,
  onMessage: FUNCTION,
  onFailure: FUNCTION,
  onDeadLetter: FUNCTION,
};

/** @throws CONFIG_VALUE */
export function createSystem(options: SystemOptions = {}): ActorSystem {
  checkOptions('a system', options, SYSTEM_RULES);
  let names = 0;
  const clock = options.clock ?? systemClock;
  const pace = options.scheduler === undefined ? new Pace() : UNPACED;
  const log = new SystemLog(options.logger ?? stderrLogger, clock);
  const { onFailure = log.failure, onDeadLetter = log.deadLetter } = options;
  const hooks = guarded({ ...options, onFailure, onDeadLetter });
  const deadLetters = new DeadLetters(hooks.onDeadLetter === undefined ? {} : { listener: hooks.onDeadLetter });
  const system: ActorSystem = {
    clock,
    random: options.random ?? systemRandom,
    deadLetters,
    get tracing() {
      return kernel.tracing;
    },
    set tracing(tracing) {
      if (tracing !== undefined) checked('tracing', tracing, SYSTEM_RULES.tracing);
      trace(tracing);
    },
    get current() {
      return kernel.current?.path;
    },
    spawn: (behaviour, spawnOptions) => top.spawn(behaviour, spawnOptions),
    start: (behaviour, spawnOptions) => pace.through(top.start(behaviour, spawnOptions)),
    ask: (ref, toMessage, timeoutMs) =>
      new Promise((replied, failed) => {
        const paced = (error: unknown): void => pace.run(() => failed(error));
        try {
          checked('toMessage', toMessage, FUNCTION);
          ask(kernel, { to: ref, toMessage, timeoutMs }, { replied, failed: paced });
        } catch (error) {
          paced(error);
        }
      }),
    offer: (ref, message, offerOptions) => pace.through(offer(clock, ref, message, offerOptions)),
    ended: (ref) => pace.through(ended(ref)),
    stop: (ref, timeoutMs) => pace.through(addresseeOf(ref).shutdown(checkedLimit(timeoutMs))),
    drain: (ref, timeoutMs) => pace.through(drainOf(ref, checkedLimit(timeoutMs))),
    shutdown: (timeoutMs) => pace.through(guardian.shutdown(checkedLimit(timeoutMs)).then(() => log.flush())),
    tree: () => treeOf(guardian),
    logFailure: log.failure,
  };
  // Plain fields only: with a getter among them, each message would cost a quarter more.
  const kernel: Kernel = {
    system,
    clock,
    deadlines: new Deadlines(clock),
    scheduler: options.scheduler ?? new FairScheduler(),
    pace,
    throughput: options.throughput ?? THROUGHPUT_DEFAULT,
    deadLetters,
    hooks,
    tracing: undefined,
    observers: hooks.onMessage === undefined ? undefined : { onMessage: hooks.onMessage, tracing: undefined },
    shard: options.shard ?? 'main',
    current: undefined,
    mailbox: options.mailbox ?? (() => new Mailbox()),
    nextName: () => String(++names),
  };
  const trace = (tracing: Tracing | undefined): void => {
    kernel.tracing = tracing;
    if (tracing === undefined) return;
    kernel.observers = { onMessage: hooks.onMessage, tracing };
    kernel.scheduler = rooted(kernel.scheduler, tracing);
  };
  trace(options.tracing);
  // The guardian is the parent of the actors at the top. It takes no messages. Each of them has a limit of its own.
  const guardian = new Cell<never>(kernel, undefined, '', () => () => undefined, {
    stopTimeoutMs: Number.POSITIVE_INFINITY,
  });
  const top = startActor(guardian);
  return system;
}

function ended(ref: Ref<never>): Promise<Exit> {
  return new Promise((resolve) => addresseeOf(ref).watch({}, { ended: resolve }));
}
