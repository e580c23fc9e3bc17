import {
  type Addressee,
  type Exit,
  type ExitReason,
  type Offerable,
  shownByPath,
  type Undelivered,
} from '../actors/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { Waiters } from './waiters.ts';

/** The connection to another thread, as the refs of its actors use it. */
export interface Channel {
  /** Why it was closed; undefined while it is open. */
  readonly closed: ExitReason | undefined;
  readonly unacknowledged: number;
  readonly hasRoom: boolean;
  /** While there is no room: calls back once there is, or the channel is closed. @returns how to cancel it */
  onRoom(callback: () => void): () => void;
  /** @param waits whether the message waits at the other end while the mailbox there is full */
  tell(to: number, message: unknown, path: string, waits: boolean): boolean;
  /** Makes a dead letter of a message. */
  refuse(to: string, message: unknown, why: Undelivered): false;
  fail(id: number, error: Error): void;
  /**
   * @param counts whether this counts as watching, so that a failure does not reach the parent
   * @param again whether the watchers were told of the last end, and wait for the next
   */
  watch(ref: RemoteRef<never>, counts: boolean, again: boolean): void;
  unwatch(ref: RemoteRef<never>): void;
  stop(id: number, timeoutMs: number | undefined): void;
}

/** The ref of an actor on another thread. */
export class RemoteRef<M> implements Offerable<M>, Addressee {
  readonly path: string;
  readonly id: number;
  readonly channel: Channel;
  #listeners: Map<object, (exit: Exit) => void> | undefined;
  /** The offers that wait while the mailbox at the other end is full; undefined while it is not. */
  #room: Waiters | undefined;
  /** Whether a listener counts as watching. */
  #counts = false;
  /** Whether a listener is to be told of the last end. */
  #isFresh = false;
  /** Watchers that were told of the last end. */
  #told = new WeakSet<object>();

  static {
    shownByPath(RemoteRef.prototype);
  }

  constructor(channel: Channel, id: number, path: string) {
    this.channel = channel;
    this.id = id;
    this.path = path;
  }

  /** Whether the thread is there: nothing more is known here. */
  get state(): 'running' | 'stopped' {
    return this.channel.closed === undefined ? 'running' : 'stopped';
  }

  get depth(): number {
    return this.channel.unacknowledged;
  }

  /** Offers that wait for the mailbox at the other end. */
  get waiting(): number {
    return this.#room?.size ?? 0;
  }

  tell(message: M): boolean {
    return this.channel.tell(this.id, message, this.path, false);
  }

  /** Like `tell`, but as soon as the channel and the mailbox at its other end have room. */
  async offer(message: M, signal?: AbortSignal): Promise<boolean> {
    while (this.channel.closed === undefined) {
      if (signal?.aborted === true) return this.channel.refuse(this.path, message, 'given-up');
      const room = this.#room;
      if (room !== undefined) await woken((wake) => room.add(wake), signal);
      else if (!this.channel.hasRoom) await woken((wake) => this.channel.onRoom(wake), signal);
      else break;
    }
    return this.channel.tell(this.id, message, this.path, true);
  }

  /** The mailbox at the other end is full, or has room again; or the channel is closed. */
  onRoom(hasRoom: boolean): void {
    if (!hasRoom) {
      this.#room ??= new Waiters();
      return;
    }
    const room = this.#room;
    this.#room = undefined;
    room?.wakeAll();
  }

  watch(key: object, listener: (exit: Exit) => void): void {
    this.#listen(key, listener, true);
  }

  unwatch(key: object): void {
    this.#told.delete(key);
    if (this.#listeners?.delete(key) !== true || this.#listeners.size > 0) return;
    this.#forgetListeners();
    this.channel.unwatch(this);
  }

  onEnd(listener: (exit: Exit) => void): () => void {
    const key = {};
    this.#listen(key, listener, false);
    return () => this.unwatch(key);
  }

  shutdown(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      this.onEnd(() => resolve());
      this.channel.stop(this.id, timeoutMs);
    });
  }

  /**
   * The actor has ended, or its thread has.
   * @param isRepeated whether an end is told again, for those that were not told of it before
   */
  ended(exit: Exit, isRepeated = false): void {
    const listeners = [...(this.#listeners ?? [])];
    this.#forgetListeners();
    if (!isRepeated) this.#told = new WeakSet();
    const told = listeners.filter(([key]) => !this.#told.has(key));
    const waiting = listeners.filter(([key]) => this.#told.has(key));
    for (const [key] of told) this.#told.add(key);
    for (const [key, listener] of waiting) this.#listen(key, listener, true);
    for (const [, tell] of told) tell(exit);
  }

  #forgetListeners(): void {
    this.#listeners = undefined;
    this.#counts = false;
    this.#isFresh = false;
  }

  #listen(key: object, listener: (exit: Exit) => void, counts: boolean): void {
    const { closed } = this.channel;
    const again = this.#told.has(key);
    if (closed !== undefined) {
      // After the end of its thread there is no other.
      if (again) return;
      this.#told.add(key);
      listener({ path: this.path, reason: closed });
      return;
    }
    const isNew = this.#listeners === undefined || (counts && !this.#counts) || !(again || this.#isFresh);
    this.#listeners ??= new Map();
    this.#listeners.set(key, listener);
    this.#counts ||= counts;
    this.#isFresh ||= !again;
    if (isNew) this.channel.watch(this, this.#counts, !this.#isFresh);
  }
}

/** The ref of the reply to an ask of another thread. */
export class RemoteReplyRef<R> extends RemoteRef<R> {
  #hasReply = false;

  override tell(reply: R): boolean {
    // One that cannot cross is no reply: that throws.
    const isTaken = super.tell(reply);
    this.#hasReply = true;
    return isTaken;
  }

  /** Whoever was to reply is gone, or the request or its reply cannot cross. */
  fail(error: Error): void {
    if (this.#hasReply) return;
    const isInvalid = codeOf(error) === 'MESSAGE_NOT_PLAIN';
    const text = 'whoever was to reply ended first';
    this.channel.fail(this.id, isInvalid ? error : new ShoalError('ACTOR_STOPPED', text, { cause: error }));
  }
}

/** Resolves when it is woken, or the signal gives up. Either way nothing of it stays behind. */
function woken(listen: (wake: () => void) => () => void, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = listen(done);
    signal?.addEventListener('abort', done);
  });
}
