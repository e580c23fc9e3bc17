import { fromEnvelope, ShoalError } from '../errors.ts';
import { addresseeOf, offerTo } from './addressee.ts';
import type { ActorSystem, TreeNode } from './behaviour.ts';
import { Cell } from './cell.ts';
import { type Clock, systemClock } from './clock.ts';
import { startActor } from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { guarded, type Hooks } from './hooks.ts';
import type { Kernel } from './kernel.ts';
import { type Logger, SystemLog, stderrLogger } from './log.ts';
import { Mailbox } from './mailbox.ts';
import { checkedThroughput, checkedTimeout } from './options.ts';
import type { Exit, Ref } from './ref.ts';
import { ReplyRef } from './reply-ref.ts';
import { FairScheduler, type Scheduler } from './scheduler.ts';

export interface SystemOptions extends Hooks {
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
    get current() {
      return kernel.current?.path;
    },
    spawn: (behaviour, spawnOptions) => top.spawn(behaviour, spawnOptions),
    start: (behaviour, spawnOptions) => top.start(behaviour, spawnOptions),
    ask: (ref, toMessage, timeoutMs) => ask(kernel, ref, toMessage, timeoutMs),
    offer: (ref, message) => offerTo(ref, message),
    ended: (ref) => ended(ref),
    stop: (ref, timeoutMs) => addresseeOf(ref).shutdown(timeoutMs),
    shutdown: (timeoutMs) => guardian.shutdown(timeoutMs).then(() => log.flush()),
    tree: () => nodeOf(guardian),
    logFailure: log.failure,
  };
  // Plain fields only: with a getter among them, each message would cost a quarter more.
  const kernel: Kernel = {
    system,
    clock,
    scheduler: options.scheduler ?? new FairScheduler(),
    throughput: checkedThroughput(options.throughput ?? THROUGHPUT_DEFAULT),
    deadLetters,
    hooks,
    shard: options.shard ?? 'main',
    current: undefined,
    mailbox: options.mailbox ?? (() => new Mailbox()),
    nextName: () => String(++names),
  };
  // The guardian is the parent of the actors at the top. It takes no messages.
  const guardian = new Cell<never>(kernel, undefined, '', () => () => undefined, {});
  const top = startActor(guardian);
  return system;
}

function ask<M, R>(kernel: Kernel, ref: Ref<M>, toMessage: (replyTo: Ref<R>) => M, timeoutMs: number): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    checkedTimeout(timeoutMs);
    const actor = addresseeOf(ref);
    const replyTo = new ReplyRef<R>(kernel, actor, resolve, reject);
    const cancelTimer = kernel.clock.timer(timeoutMs, () => {
      replyTo.fail(new ShoalError('ACTOR_ASK_TIMEOUT', `${ref.path} did not reply within ${timeoutMs} ms`));
    });
    const unwatch = actor.onEnd(({ reason }) => {
      const cause = reason.kind === 'error' ? fromEnvelope(reason.error) : undefined;
      replyTo.fail(new ShoalError('ACTOR_STOPPED', `${ref.path} ended before it replied`, { cause }));
    });
    replyTo.onSettled(() => {
      cancelTimer();
      unwatch();
    });
    try {
      if (ref.tell(toMessage(replyTo))) return;
    } catch (error) {
      replyTo.fail(error);
      return;
    }
    const stopped = actor.state === 'stopped' || actor.state === 'stopping';
    const error = stopped
      ? new ShoalError('ACTOR_STOPPED', `${ref.path} is not running`)
      : new ShoalError('ACTOR_MAILBOX_FULL', `the mailbox of ${ref.path} is full (${actor.depth} messages)`);
    replyTo.fail(error);
  });
}

function ended(ref: Ref<never>): Promise<Exit> {
  return new Promise((resolve) => addresseeOf(ref).watch({}, resolve));
}

function nodeOf(cell: Cell<never>): TreeNode {
  const { path, state, depth, handled, restarts, shard } = cell;
  const children = [...cell.children].map(nodeOf);
  return { path, state, depth, handled, restarts, shard, children };
}
