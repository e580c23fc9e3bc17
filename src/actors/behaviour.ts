import type { CancelTimer, Clock } from './clock.ts';
import type { Mailbox, Overflow } from './mailbox.ts';
import type { Exit, Ref } from './ref.ts';

/**
 * Handles one message. While a promise that it returned is unsettled the actor takes no other message: it is never
 * re-entrant. For work that must not hold up the mailbox use `context.pipe`.
 */
export type Receive<M> = (message: M) => undefined | void | Promise<void>;

/** Starts an actor: runs once an incarnation, sets up its state and returns what handles its messages. */
export type Behaviour<M> = (context: Context<M>) => Receive<M> | Promise<Receive<M>>;

export interface SpawnOptions {
  /** Unique among living siblings; a number is given if there is none. */
  readonly name?: string;
  /** Messages that may wait; default 65536. */
  readonly capacity?: number;
  /** What happens to a message beyond `capacity`; default `fail`. */
  readonly overflow?: Overflow;
  /** Milliseconds that stopping may take before the actor is abandoned; default 30000. */
  readonly stopTimeoutMs?: number;
  /** Makes its mailbox; default: as all mailboxes of the system. What a mailbox throws at a message is thrown to the sender. */
  readonly mailbox?: <M>() => Mailbox<M>;
}

/** What an actor may do. It is valid for the incarnation that it was given to. */
export interface Context<M> {
  readonly self: Ref<M>;
  readonly clock: Clock;
  /** Aborted as soon as this actor is to end, even while a message is in hand: cuts short what would hold up the end. */
  readonly signal: AbortSignal;
  /** Starts a child. It lives no longer than this actor. */
  spawn<C>(behaviour: Behaviour<C>, options?: SpawnOptions): Ref<C>;
  /**
   * Starts a child and resolves when its behaviour has set itself up; rejects with what that threw, after the child has ended.
   * To watch it, do so at once after awaiting this.
   */
  start<C>(behaviour: Behaviour<C>, options?: SpawnOptions): Promise<Ref<C>>;
  /** Puts a new incarnation of an ended child behind its ref. */
  restart<C>(child: Ref<C>): Promise<void>;
  /** Ends a child: it finishes the message in hand, then its children go, last started first, then it cleans up. */
  stop(child: Ref<never>, timeoutMs?: number): Promise<void>;
  /** Ends this actor after the message in hand. */
  exit(): void;
  /** Sends `toMessage(exit)` to this actor once, when the other has ended (at once if it has already). */
  watch(other: Ref<never>, toMessage: (exit: Exit) => M): void;
  unwatch(other: Ref<never>): void;
  /** Sends a message to this actor after a while. Timers end with the actor. */
  after(delayMs: number, message: M): CancelTimer;
  /** Sends a message to this actor again and again, first after `intervalMs`. */
  every(intervalMs: number, message: () => M): CancelTimer;
  /** Sends the outcome of a promise to this actor, whose mailbox goes on meanwhile. It always finds room. */
  pipe<T>(promise: Promise<T>, done: (value: T) => M, failed: (error: unknown) => M): void;
  /** Handles the messages to come with `receive` in place of what the behaviour returned. For this incarnation. */
  become(receive: Receive<M>): void;
  /**
   * Puts the message in hand aside. What is aside when the actor ends is a dead letter.
   * @throws ACTOR_STASH_FULL beyond `capacity`
   */
  stash(message: M): void;
  /** Puts what is aside before all that waits, in the order in which it came. */
  unstashAll(): void;
  /** Sends a message to this actor whenever it has received none for so long. There is one such wait: the latest. */
  onIdle(afterMs: number, message: () => M): CancelTimer;
  /**
   * As `other.tell(message)`, but as soon as there is room, in the order of the offers. Await it before the next.
   * @returns what `tell` returned then
   */
  offer<C>(other: Ref<C>, message: C): Promise<boolean>;
  /** Says on which thread the actor lives that this one stands for, for `tree()`. */
  standsFor(shard: string): void;
  /** Registers clean-up, the last registered runs first; by default after the children have ended. */
  onStop(cleanUp: () => undefined | void | Promise<void>, when?: 'after-children' | 'before-children'): void;
}
