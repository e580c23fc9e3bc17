import { addresseeOf, drainOf, offerTo } from './addressee.ts';
import { ask } from './ask.ts';
import type { ActorSystem, TreeNode } from './behaviour.ts';
import { Cell } from './cell.ts';
import { type Clock, systemClock } from './clock.ts';
import { startActor } from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { guarded, type Hooks } from './hooks.ts';
import type { Kernel } from './kernel.ts';
import { type Logger, SystemLog, stderrLogger } from './log.ts';
import { Mailbox } from './mailbox.ts';
import { checkedThroughput } from './options.ts';
import type { Exit, Ref } from './ref.ts';
import { FairScheduler, type Scheduler } from './scheduler.ts';
import { rooted, type Tracing } from './tracing.ts';

export interface SystemOptions extends Hooks {
  /** Carries trace contexts with the messages; default: none are carried. */
  readonly tracing?: Tracing;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
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

const THROUGHPUT_DEFAULT = 64;

export function createSystem(options: SystemOptions = {}): ActorSystem {
  let names = 0;
  const clock = options.clock ?? systemClock;
  const log = new SystemLog(options.logger ?? stderrLogger, clock);
  const { onFailure = log.failure, onDeadLetter = log.deadLetter } = options;
  const hooks = guarded({ ...options, onFailure, onDeadLetter });
  const deadLetters = new DeadLetters(hooks.onDeadLetter === undefined ? {} : { listener: hooks.onDeadLetter });
  const system: ActorSystem = {
    clock,
    deadLetters,
    get tracing() {
      return kernel.tracing;
    },
    set tracing(tracing) {
      trace(tracing);
    },
    get current() {
      return kernel.current?.path;
    },
    spawn: (behaviour, spawnOptions) => top.spawn(behaviour, spawnOptions),
    start: (behaviour, spawnOptions) => top.start(behaviour, spawnOptions),
    ask: (ref, toMessage, timeoutMs) =>
      new Promise((replied, failed) => {
        ask(kernel, { to: ref, toMessage, timeoutMs }, { replied, failed });
      }),
    offer: (ref, message) => offerTo(ref, message),
    ended: (ref) => ended(ref),
    stop: (ref, timeoutMs) => addresseeOf(ref).shutdown(timeoutMs),
    drain: (ref, timeoutMs) => drainOf(ref, timeoutMs),
    shutdown: (timeoutMs) => guardian.shutdown(timeoutMs).then(() => log.flush()),
    tree: () => nodeOf(guardian),
    logFailure: log.failure,
  };
  // Plain fields only: with a getter among them, each message would cost a quarter more.
  const kernel: Kernel = {
    system,
    clock,
    deadlines: new Deadlines(clock),
    scheduler: options.scheduler ?? new FairScheduler(),
    throughput: checkedThroughput(options.throughput ?? THROUGHPUT_DEFAULT),
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
  return new Promise((resolve) => addresseeOf(ref).watch({}, resolve));
}

function nodeOf(cell: Cell<never>): TreeNode {
  const { path, state, depth, handled, restarts, shard } = cell;
  const children = [...cell.children].map(nodeOf);
  return { path, state, depth, handled, restarts, shard, children };
}
