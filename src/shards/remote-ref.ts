import type { Addressee, Exit, ExitReason, Offerable, Undelivered } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
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
  /** @param counts whether this counts as watching, so that a failure does not reach the parent */
  watch(ref: RemoteRef<never>, counts: boolean): void;
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
    if (this.#listeners?.delete(key) !== true || this.#listeners.size > 0) return;
    this.#listeners = undefined;
    this.#counts = false;
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

  /** The actor has ended, or its thread has. */
  ended(exit: Exit): void {
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#counts = false;
    for (const tell of listeners?.values() ?? []) tell(exit);
  }

  #listen(key: object, listener: (exit: Exit) => void, counts: boolean): void {
    const { closed } = this.channel;
    if (closed !== undefined) {
      listener({ path: this.path, reason: closed });
      return;
    }
    const isNew = this.#listeners === undefined || (counts && !this.#counts);
    this.#listeners ??= new Map();
    this.#listeners.set(key, listener);
    this.#counts ||= counts;
    if (isNew) this.channel.watch(this, counts);
  }
}

/** The ref of the reply to an ask of another thread. */
export class RemoteReplyRef<R> extends RemoteRef<R> {
  #hasReply = false;

  override tell(reply: R): boolean {
    this.#hasReply = true;
    return super.tell(reply);
  }

  /** Whoever was to reply is gone. */
  fail(error: Error): void {
    if (this.#hasReply) return;
    this.channel.fail(this.id, new ShoalError('ACTOR_STOPPED', 'whoever was to reply ended first', { cause: error }));
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
