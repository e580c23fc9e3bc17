import type { CancelTimer, Clock } from '../actors/mod.ts';

const SLOTS = 1_024;
/** The tick of an entry that has left its list and is about to be told; one that is removed before its turn comes is not. */
const DUE = -1;

/** What a wheel holds: the entry itself is the link of the list that it stands in, so that adding and removing allocate nothing. */
export abstract class WheelEntry {
  /** Undefined while the entry is in no wheel. */
  wheelTick: number | undefined;
  wheelNext: WheelEntry | undefined;
  wheelPrevious: WheelEntry | undefined;
}

/**
 * Deadlines of very many entries for the price of one timer, which runs only while there are entries. An entry is due at its
 * deadline at the earliest, and at the latest one step after it.
 */
export class TimerWheel<E extends WheelEntry> {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #onDue: (entry: E) => void;
  readonly #heads: (E | undefined)[] = new Array(SLOTS).fill(undefined);
  #size = 0;
  /** All steps up to this one have been looked at. */
  #doneTick = 0;
  #cancel: CancelTimer | undefined;
  readonly #run = (): void => this.#turn();

  constructor(clock: Clock, stepMs: number, onDue: (entry: E) => void) {
    this.#clock = clock;
    this.#stepMs = stepMs;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#size;
  }

  add(entry: E, delayMs: number): void {
    const nowMs = this.#clock.monotonic();
    if (this.#size === 0) this.#doneTick = Math.floor(nowMs / this.#stepMs);
    const tick = Math.max(Math.ceil((nowMs + delayMs) / this.#stepMs), this.#doneTick + 1);
    const slot = tick % SLOTS;
    const head = this.#heads[slot];
    entry.wheelTick = tick;
    entry.wheelPrevious = undefined;
    entry.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = entry;
    this.#heads[slot] = entry;
    this.#size += 1;
    this.#cancel ??= this.#clock.timer(this.#stepMs, this.#run);
  }

  /** Does nothing if the entry is not in the wheel. */
  remove(entry: E): void {
    if (entry.wheelTick === undefined) return;
    if (entry.wheelTick === DUE) {
      entry.wheelTick = undefined;
      return;
    }
    const { wheelNext: next, wheelPrevious: previous } = entry;
    if (next !== undefined) next.wheelPrevious = previous;
    if (previous !== undefined) previous.wheelNext = next;
    // The lists of a wheel hold only what was added to it.
    else this.#heads[entry.wheelTick % SLOTS] = next as E | undefined;
    entry.wheelTick = undefined;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    this.#size -= 1;
  }

  #turn(): void {
    this.#cancel = undefined;
    const nowTick = Math.floor(this.#clock.monotonic() / this.#stepMs);
    // After a long pause one round looks at everything.
    const from = Math.max(this.#doneTick + 1, nowTick - SLOTS + 1);
    this.#doneTick = nowTick;
    const due: E[] = [];
    for (let tick = from; tick <= nowTick; tick++) this.#collect(tick % SLOTS, nowTick, due);
    if (this.#size > 0) this.#cancel = this.#clock.timer(this.#stepMs, this.#run);
    for (const entry of due) {
      if (entry.wheelTick !== DUE) continue;
      entry.wheelTick = undefined;
      this.#onDue(entry);
    }
  }

  /** Entries of a later round share the slot; they stay. */
  #collect(slot: number, nowTick: number, due: E[]): void {
    for (let entry = this.#heads[slot]; entry !== undefined; ) {
      // As in remove().
      const next = entry.wheelNext as E | undefined;
      if (entry.wheelTick !== undefined && entry.wheelTick <= nowTick) {
        this.remove(entry);
        entry.wheelTick = DUE;
        due.push(entry);
      }
      entry = next;
    }
  }
}
