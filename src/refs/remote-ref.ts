import {
  type Addressee,
  type EndListener,
  type Exit,
  type ExitReason,
  LinkedList,
  type Offerable,
  shownByPath,
  type Undelivered,
} from '../actors/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { Waiters } from './waiters.ts';

/** The connection to another thread or host, as the refs of its actors use it. */
export interface Channel {
  /** Why it was closed; undefined while it is open. */
  readonly closed: ExitReason | undefined;
  readonly unacknowledged: number;
  readonly hasRoom: boolean;
  /** While there is no room: calls back once there is, or the channel is closed. @returns how to cancel it */
  onRoom(callback: () => void): () => void;
  /** @param waits whether the message waits at the other end while the mailbox there is full */
  tell(to: number, message: unknown, path: string, waits: boolean): boolean;
  /** Counts what waits at this end, and is lost if the thread of this end ends. */
  readonly tally?: { addPushed(): void; addShifted(): void } | undefined;
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
  /** Asks for a direct way to an actor. @returns the number of the question; undefined if there can be none */
  askRoute(id: number): number | undefined;
}

/** A channel that leads straight to where an actor is, and the number of the actor there. */
export interface Route {
  readonly channel: Channel;
  readonly id: number;
}

type EndListeners = NonNullable<Addressee['ends']>;

/** The ref of an actor on another thread or host. */
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
  #route: (Route & EndListeners) | undefined;
  /** Whether there may be a direct way, for which nobody has asked. */
  mayRoute = false;
  /** The question for it that has no answer yet. */
  #question: number | undefined;
  /** A message was sent after the question, and must not be overtaken. */
  #hasToldSince = false;

  static {
    shownByPath(RemoteRef.prototype);
  }

  constructor(channel: Channel, id: number, path: string) {
    this.channel = channel;
    this.id = id;
    this.path = path;
  }

  /** Whether the other end is there: nothing more is known here. */
  get state(): 'running' | 'stopped' {
    return this.#way.channel.closed === undefined ? 'running' : 'stopped';
  }

  get depth(): number {
    return this.#way.channel.unacknowledged;
  }

  /** Where messages go. All else, such as a watch, goes to where the ref came from. */
  get route(): Route | undefined {
    return this.#route;
  }

  set route(route: Route | undefined) {
    this.#route = route === undefined ? undefined : { ...route, listeners: new LinkedList() };
  }

  /**
   * A question for the direct way has its answer.
   * @returns whether the way may be used: the messages before the question are on their way, and there were none since
   */
  answered(question: number): boolean {
    if (question !== this.#question) return false;
    this.#question = undefined;
    return !this.#hasToldSince;
  }

  /** Asks join these: they are told of the end of the route, which is that of its actor. */
  get ends(): EndListeners | undefined {
    return this.#route;
  }

  /** Messages go to where the ref came from again. */
  unroute(exit: Exit | undefined): void {
    const listeners = this.#route?.listeners;
    this.#route = undefined;
    this.mayRoute = false;
    this.onRoom(true);
    if (listeners === undefined || exit === undefined) return;
    for (let one = listeners.shift(); one !== undefined; one = listeners.shift()) one.ended(exit);
  }

  get #way(): Route {
    return this.#route ?? this;
  }

  tell(message: M): boolean {
    return this.#tell(message, false);
  }

  /** Like `tell`, but as soon as the channel and the mailbox at its other end have room. */
  async offer(message: M, signal?: AbortSignal): Promise<boolean> {
    for (let { channel } = this.#way; channel.closed === undefined; channel = this.#way.channel) {
      if (signal?.aborted === true) return channel.refuse(this.path, message, 'given-up');
      const room = this.#room;
      const blocked = channel;
      if (room === undefined && blocked.hasRoom) break;
      // It waits as in a mailbox of this end.
      blocked.tally?.addPushed();
      if (room !== undefined) await woken((wake) => room.add(wake), signal);
      else await woken((wake) => blocked.onRoom(wake), signal);
      blocked.tally?.addShifted();
    }
    return this.#tell(message, true);
  }

  #tell(message: M, waits: boolean): boolean {
    const { channel, id } = this.#way;
    const isTaken = channel.tell(id, message, this.path, waits);
    if (this.#route === undefined) this.#askRoute();
    return isTaken;
  }

  #askRoute(): void {
    this.#hasToldSince = this.#question !== undefined;
    if (this.mayRoute) this.#question ??= this.channel.askRoute(this.id);
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

  watch(key: object, listener: EndListener): void {
    this.#listen(key, (exit) => listener.ended(exit), true);
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
   * The actor has ended, or its thread or host has.
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
      // After the end of its thread or host there is no other.
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

/** The ref of the reply to an ask of another thread or host. */
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
    this.channel.fail(this.id, codeOf(error) === 'MESSAGE_NOT_PLAIN' ? error : endedFirst(error));
  }
}

/** The failure of an ask whose reply will not come. */
export function endedFirst(cause: Error): ShoalError {
  return new ShoalError('ACTOR_STOPPED', 'whoever was to reply ended first', { cause });
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
