import type { CancelTimer, Clock } from './clock.ts';

/** A point in time that many share. */
interface Moment {
  /** On the monotonic clock; infinity until it is known. */
  ms: number;
}

/** Something that waits for a limited time. All but `expire` is set by the queue, of whose list it is a part itself. */
export interface Expiring {
  /** When it began to wait; undefined if the timer was set for it. */
  since: Moment | undefined;
  next: Expiring | undefined;
  previous: Expiring | undefined;
  expire(): void;
}

/** Node's timers may fire so much too early. */
const EARLY_MS = 1;

/** Those that wait for the same time. They are due in the order in which they came, so one timer serves them all. */
export class DeadlineQueue {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #first: Expiring | undefined;
  #last: Expiring | undefined;
  #cancelTimer: CancelTimer | undefined;

  constructor(timeoutMs: number, clock: Clock, deadlines: Deadlines) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(item: Expiring): void {
    if (this.#cancelTimer === undefined) this.#setTimer(this.timeoutMs);
    else item.since = this.#deadlines.moment();
    const last = this.#last;
    item.previous = last;
    if (last === undefined) this.#first = item;
    else last.next = item;
    this.#last = item;
  }

  /** Removing an item twice, or after it was due, does nothing. */
  remove(item: Expiring): void {
    const { next, previous } = item;
    if (previous === undefined && this.#first !== item) return;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.next = undefined;
    item.previous = undefined;
    if (this.#first === undefined) this.#rest();
  }

  #setTimer(delayMs: number): void {
    this.#cancelTimer = this.#clock.timer(delayMs, this.#expire);
  }

  #rest(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#deadlines.forget(this);
  }

  readonly #expire = (): void => {
    const nowMs = this.#clock.monotonic();
    const due: Expiring[] = [];
    let next = this.#first;
    for (; next !== undefined && this.#leftMs(next, nowMs) < EARLY_MS; next = next.next) due.push(next);
    for (const item of due) this.remove(item);
    if (next !== undefined) this.#setTimer(this.#leftMs(next, nowMs));
    // They may ask again, so all else is done before.
    for (const item of due) item.expire();
  };

  #leftMs({ since }: Expiring, nowMs: number): number {
    return since === undefined ? 0 : since.ms + this.timeoutMs - nowMs;
  }
}

/** The deadlines of very many asks. A timer of Node for each would take up a third of the time of an ask. */
export class Deadlines {
  readonly #clock: Clock;
  /** By their time limits: those that are not empty, and the last one that was asked for. */
  readonly #queues = new Map<number, DeadlineQueue>();
  #last: DeadlineQueue | undefined;
  #moment: Moment | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  queueOf(timeoutMs: number): DeadlineQueue {
    const last = this.#last;
    if (last?.timeoutMs === timeoutMs) return last;
    if (last?.isEmpty === true) this.#queues.delete(last.timeoutMs);
    const queue = this.#queues.get(timeoutMs) ?? new DeadlineQueue(timeoutMs, this.#clock, this);
    this.#queues.set(timeoutMs, queue);
    this.#last = queue;
    return queue;
  }

  forget(queue: DeadlineQueue): void {
    if (queue !== this.#last) this.#queues.delete(queue.timeoutMs);
  }

  /**
   * The present moment. The clock is read in the next microtask, once for all who ask until then: it takes as long as a
   * third of an ask. A deadline is late by what the thread computes in between, and early by less than
   * `EARLY_MS`.
   */
  moment(): Moment {
    if (this.#moment === undefined) {
      this.#moment = { ms: Number.POSITIVE_INFINITY };
      queueMicrotask(this.#read);
    }
    return this.#moment;
  }

  readonly #read = (): void => {
    if (this.#moment !== undefined) this.#moment.ms = this.#clock.monotonic();
    this.#moment = undefined;
  };
}
