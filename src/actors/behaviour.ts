import type { ErrorEnvelope } from '../errors.ts';
import type { CancelTimer, Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Mailbox, Overflow } from './mailbox.ts';
import type { OfferOptions } from './offer.ts';
import type { Random } from './random.ts';
import type { Exit, Ref } from './ref.ts';
import type { TimerScheduler } from './timer-scheduler.ts';
import type { Tracing } from './tracing.ts';

/**
 * Handles one message. While the promise that it returned is unsettled, the actor takes no other message: it is never
 * re-entrant. Use `context.pipe` for work that other messages should not wait for.
 */
export type Receive<M> = (message: M) => undefined | void | PromiseLike<void>;

/**
 * Starts an actor: runs once for each incarnation, sets up its state and returns the function that handles its
 * messages.
 */
export interface Behaviour<M> {
  (context: Context<M>): Receive<M> | PromiseLike<Receive<M>>;
  /** How long its actors may take to stop, unless the options of the spawn say something else; default 30000. */
  readonly stopTimeoutMs?: number;
  /**
   * Asked when the handling of a message has failed. If it returns true, the actor goes on with the next message
   * instead of ending, and the failure is reported all the same. If it throws, or returns anything else, the actor ends.
   */
  readonly resumes?: (error: unknown) => boolean;
}

export interface SpawnOptions {
  /** Unique among living siblings; default: a number. */
  readonly name?: string;
  /** How many messages may wait; default 65536. */
  readonly capacity?: number;
  /** What happens to a message beyond `capacity`; default `fail`. */
  readonly overflow?: Overflow;
  /**
   * How many milliseconds an asynchronous set-up may take; default: no limit. Beyond it the actor ends with
   * ACTOR_START_TIMEOUT: the set-up cannot be interrupted, but its context has no effect any more.
   */
  readonly startTimeoutMs?: number;
  /** How many milliseconds stopping may take before the actor is abandoned; default 30000. */
  readonly stopTimeoutMs?: number;
  /**
   * Makes its mailbox; default: the system's. If the mailbox throws at a message, `tell` throws that to the sender.
   */
  readonly mailbox?: <M>() => Mailbox<M>;
}

/** How an ask of an actor ended. The codes of `error` are those that `ActorSystem.ask` throws. */
export type AskOutcome<R> =
  | { readonly ok: true; readonly reply: R }
  | { readonly ok: false; readonly error: ErrorEnvelope };

/** What an actor may do. A context is valid for the incarnation that it was given to. */
export interface Context<M> {
  readonly self: Ref<M>;
  /** The actor that has started this one; undefined at the top. */
  readonly parent: Ref<never> | undefined;
  readonly system: ActorSystem;
  readonly clock: Clock;
  /**
   * Aborted as soon as this actor is to end, even while a message is in hand. Use it to cut short whatever would delay
   * the end.
   */
  readonly signal: AbortSignal;
  /** Starts a child. It lives no longer than this actor. */
  spawn<C>(behaviour: Behaviour<C>, options?: SpawnOptions): Ref<C>;
  /**
   * Starts a child. Resolves when its behaviour has set itself up. If that throws, the child ends and this rejects
   * with the error. To miss no failure, watch the child right after awaiting this.
   */
  start<C>(behaviour: Behaviour<C>, options?: SpawnOptions): Promise<Ref<C>>;
  /** Starts a new incarnation of a child that has ended. Its ref stays the same. */
  restart<C>(child: Ref<C>): Promise<void>;
  /**
   * Ends a child: it finishes the message in hand, its own children end, the last started first, and then it cleans
   * up.
   */
  stop(child: Ref<never>, timeoutMs?: number): Promise<void>;
  /**
   * Ends a child once it has handled the messages that wait, and then its own children likewise. From now on it takes
   * no others: they are dead letters. After `timeoutMs` (default: its `stopTimeoutMs`) all are stopped with what still
   * waits. Resolves when the child has ended.
   */
  drain(child: Ref<never>, timeoutMs?: number): Promise<void>;
  /** Ends this actor after the message in hand. */
  exit(): void;
  /**
   * Sends `toMessage(exit)` to this actor once, when the other has ended, or at once if it has already. An actor is told
   * of each end once: if it watches again an actor whose last end it was told of, it is told of the next one.
   */
  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void;
  /** From now on this actor is told nothing of the other, not even what waits in its mailbox. */
  unwatch(other: Ref<never>): void;
  /**
   * Sends a message to this actor after a while. Timers end with the actor. Once a timer is cancelled, its messages are
   * not handled any more, not even those that wait in the mailbox.
   */
  after(delayMs: number, message: M): CancelTimer;
  /** Timers under keys, one for each key: with `isActive`, `cancelAll`, a fixed delay or a fixed rate. */
  readonly timers: TimerScheduler<M>;
  /** Sends a message to this actor at an interval, the first after one interval. */
  every(intervalMs: number, message: () => M): CancelTimer;
  /**
   * Sends the outcome of a promise to this actor, which handles other messages meanwhile. The outcome always finds
   * room.
   */
  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void;
  /**
   * Sends `to` the message that `toRequest` makes with a ref for the reply, and sends the outcome to this actor, which
   * handles other messages meanwhile. The reply keeps its place among the messages from `to`. The outcome always finds
   * room, and comes once: the first reply, or ACTOR_ASK_TIMEOUT after `timeoutMs`, ACTOR_STOPPED if `to` is not running
   * or ends first, ACTOR_MAILBOX_FULL if its mailbox takes no more. The ask ends with this actor.
   */
  ask<C, R>(
    to: Ref<C>,
    toRequest: (replyTo: Ref<R>) => C,
    onOutcome: (outcome: AskOutcome<R>) => M,
    timeoutMs: number,
  ): void;
  /**
   * A second ref of this actor, for those who speak another protocol. `toMessage` translates each of their messages as
   * it is sent; if it throws, this actor fails. The ref ends with this incarnation: make it once, at the start.
   */
  adapt<A>(toMessage: (message: A) => M): Ref<A>;
  /**
   * From now on `receive` handles the messages of this incarnation, instead of the function that the behaviour
   * returned.
   */
  become(receive: Receive<M>): void;
  /**
   * Puts the message in hand aside. Messages that are still aside when the actor ends become dead letters.
   * @throws ACTOR_STASH_FULL beyond `capacity`; ACTOR_STASHED_TWICE for the second time
   */
  stash(message: M): void;
  /**
   * Puts at most `count` of the messages that were put aside first back, in their order, before all that wait.
   * @param map what becomes of each; default: it stays as it is. If it throws, all stay aside.
   * @throws CONFIG_VALUE for a count that is no whole number from 0 up, nor infinity
   */
  unstash(count: number, map?: (message: M) => M): void;
  /** Puts the messages that are aside back, in their order, before all that wait. */
  unstashAll(): void;
  /** Sends a message to this actor whenever it has received none for so long. Only the latest such timeout counts. */
  onIdle(afterMs: number, message: () => M): CancelTimer;
  /**
   * Like `other.tell(message)`, but as soon as there is room, in the order of the offers. Await each before the next.
   * Actors that await offers to each other's full mailboxes wait for ever: give one of them a `timeoutMs`.
   * @returns the result of that `tell`; false, too, if the offer was given up, which makes the message a dead letter
   */
  offer<C>(other: Ref<C>, message: C, options?: OfferOptions): Promise<boolean>;
  /** Names the thread of the actor that this one stands for, which `tree()` shows. */
  standsFor(shard: string): void;
  /**
   * Registers clean-up: a function, or what is to be disposed of. The last registered runs first; by default after the
   * children have ended.
   */
  onStop(
    cleanUp: (() => undefined | void | Promise<void>) | Disposable | AsyncDisposable,
    when?: 'after-children' | 'before-children',
  ): void;
}

/** One actor as the tree shows it. */
export interface TreeNode {
  readonly path: string;
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped';
  /** Messages waiting. */
  readonly depth: number;
  /** Messages handled, in all incarnations. */
  readonly handled: number;
  readonly restarts: number;
  /** The thread of the actor, or of the actor that it stands for: `main` or `shard-N`. */
  readonly shard: string;
  /** In the order in which they started. */
  readonly children: readonly TreeNode[];
}

export interface ActorSystem {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadLetters: DeadLetters;
  /**
   * Carries trace contexts with the messages to the actors that are started from then on. Set it once, before all
   * actors: on a shard at the start of `behaviours`, elsewhere as an option of `createSystem`.
   */
  tracing: Tracing | undefined;
  /** The path of the actor whose turn it is. */
  readonly current: string | undefined;
  /** Starts an actor at the top. */
  spawn<M>(behaviour: Behaviour<M>, options?: SpawnOptions): Ref<M>;
  /** Like `spawn`. Resolves when the behaviour has set itself up; rejects with the error if that throws. */
  start<M>(behaviour: Behaviour<M>, options?: SpawnOptions): Promise<Ref<M>>;
  /**
   * Sends the message that `toMessage` makes with a ref for the reply. Resolves with the first reply.
   * @throws ACTOR_ASK_TIMEOUT after `timeoutMs`; ACTOR_STOPPED if the actor is not running or ends first;
   * ACTOR_MAILBOX_FULL if its mailbox takes no more; CONFIG_VALUE if `timeoutMs` is not above 0.
   */
  ask<M, R>(ref: Ref<M>, toMessage: (replyTo: Ref<R>) => M, timeoutMs: number): Promise<R>;
  /**
   * Like `ref.tell(message)`, but as soon as there is room. Await each before the next.
   * @returns the result of that `tell`; false, too, if the offer was given up, which makes the message a dead letter
   */
  offer<M>(ref: Ref<M>, message: M, options?: OfferOptions): Promise<boolean>;
  /** Resolves when the actor has ended. */
  ended(ref: Ref<never>): Promise<Exit>;
  stop(ref: Ref<never>, timeoutMs?: number): Promise<void>;
  /**
   * Ends an actor once it has handled the messages that wait, as `Context.drain` describes.
   * @throws ACTOR_REF_INVALID for a ref of another thread: only its own thread can drain an actor
   */
  drain(ref: Ref<never>, timeoutMs?: number): Promise<void>;
  /**
   * Ends everything, last started first. Each actor at the top has the time of its own `stopTimeoutMs`.
   * @param timeoutMs for all of it; default: no limit
   */
  shutdown(timeoutMs?: number): Promise<void>;
  tree(): TreeNode;
  /** Logs the failure of an actor of another system, such as that of another thread. */
  logFailure(path: string, error: ErrorEnvelope): void;
}
