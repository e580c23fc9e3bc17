import type { CancelTimer, Clock } from './clock.ts';
import type { Mailbox, Overflow } from './mailbox.ts';
import type { Exit, Ref } from './ref.ts';

/**
 * Handles one message. While the promise that it returned is unsettled, the actor takes no other message: it is never
 * re-entrant. Use `context.pipe` for work that other messages should not wait for.
 */
export type Receive<M> = (message: M) => undefined | void | PromiseLike<void>;

/**
 * Starts an actor: runs once for each incarnation, sets up its state and returns the function that handles its
 * messages.
 */
export type Behaviour<M> = (context: Context<M>) => Receive<M> | PromiseLike<Receive<M>>;

export interface SpawnOptions {
  /** Unique among living siblings; default: a number. */
  readonly name?: string;
  /** How many messages may wait; default 65536. */
  readonly capacity?: number;
  /** What happens to a message beyond `capacity`; default `fail`. */
  readonly overflow?: Overflow;
  /** How many milliseconds stopping may take before the actor is abandoned; default 30000. */
  readonly stopTimeoutMs?: number;
  /**
   * Makes its mailbox; default: the system's. If the mailbox throws at a message, `tell` throws that to the sender.
   */
  readonly mailbox?: <M>() => Mailbox<M>;
}

/** What an actor may do. A context is valid for the incarnation that it was given to. */
export interface Context<M> {
  readonly self: Ref<M>;
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
  /** Ends this actor after the message in hand. */
  exit(): void;
  /** Sends `toMessage(exit)` to this actor once, when the other has ended, or at once if it has already. */
  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void;
  unwatch(other: Ref<never>): void;
  /** Sends a message to this actor after a while. Timers end with the actor. */
  after(delayMs: number, message: M): CancelTimer;
  /** Sends a message to this actor at an interval, the first after one interval. */
  every(intervalMs: number, message: () => M): CancelTimer;
  /**
   * Sends the outcome of a promise to this actor, which handles other messages meanwhile. The outcome always finds
   * room.
   */
  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void;
  /**
   * From now on `receive` handles the messages of this incarnation, instead of the function that the behaviour
   * returned.
   */
  become(receive: Receive<M>): void;
  /**
   * Puts the message in hand aside. Messages that are still aside when the actor ends become dead letters.
   * @throws ACTOR_STASH_FULL beyond `capacity`
   */
  stash(message: M): void;
  /** Puts the messages that are aside back, in their order, before all that wait. */
  unstashAll(): void;
  /** Sends a message to this actor whenever it has received none for so long. Only the latest such timeout counts. */
  onIdle(afterMs: number, message: () => M): CancelTimer;
  /**
   * Like `other.tell(message)`, but as soon as there is room, in the order of the offers. Await each before the next.
   * @returns the result of that `tell`
   */
  offer<C>(other: Ref<C>, message: C): Promise<boolean>;
  /** Names the thread of the actor that this one stands for, which `tree()` shows. */
  standsFor(shard: string): void;
  /** Registers clean-up. The last registered runs first; by default after the children have ended. */
  onStop(cleanUp: () => undefined | void | Promise<void>, when?: 'after-children' | 'before-children'): void;
}
