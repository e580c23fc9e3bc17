import { LinkedList, type ListNode } from './linked-list.ts';

const SLOTS = 1_024;
/** Time moves on the wheel in steps of this length: an item is found due less than one step after its deadline. */
export const WHEEL_STEP_MS = 16;

interface Timed<T> {
  readonly item: T;
  readonly deadlineMs: number;
}

/** What `add` returns and `remove` takes. */
export type WheelEntry<T> = ListNode<Timed<T>>;

/**
 * A timing wheel: the deadlines of very many items, where adding and removing one take constant time. It has no timer
 * of its own. Its owner calls `due` every `WHEEL_STEP_MS` while there is something to wait for. All times are
 * milliseconds on one monotonic clock.
 */
export class TimingWheel<T> {
  readonly #slots: LinkedList<Timed<T>>[] = Array.from({ length: SLOTS }, () => new LinkedList<Timed<T>>());
  /** The last step that `due` has finished. */
  #doneStep: number;

  constructor(nowMs: number) {
    this.#doneStep = stepOf(nowMs) - 1;
  }

  add(item: T, deadlineMs: number): WheelEntry<T> {
    // An item whose deadline has passed is due in the next step, not a whole turn of the wheel later.
    const step = Math.max(stepOf(deadlineMs), this.#doneStep + 1);
    return this.#slot(step).push({ item, deadlineMs });
  }

  /** Removing an item twice, or after `due` has returned it, does nothing. */
  remove(entry: WheelEntry<T>): void {
    entry.list?.remove(entry);
  }

  /** Takes out and returns the items that are due. */
  due(nowMs: number): T[] {
    const items: T[] = [];
    const nowStep = stepOf(nowMs);
    // After a long pause one turn of the wheel visits every slot.
    const from = Math.max(this.#doneStep + 1, nowStep - SLOTS);
    for (let step = from; step < nowStep; step++) this.#collect(this.#slot(step), nowMs, items);
    this.#doneStep = Math.max(this.#doneStep, nowStep - 1);
    return items;
  }

  /** Items of a later turn of the wheel share the slot and stay in it. */
  #collect(slot: LinkedList<Timed<T>>, nowMs: number, items: T[]): void {
    for (let node = slot.head; node !== undefined; ) {
      const next = node.next;
      if (node.item.deadlineMs <= nowMs) {
        slot.remove(node);
        items.push(node.item.item);
      }
      node = next;
    }
  }

  #slot(step: number): LinkedList<Timed<T>> {
    const slot = this.#slots[step % SLOTS];
    if (slot === undefined) throw new RangeError(`no slot for step ${step}`);
    return slot;
  }
}

function stepOf(ms: number): number {
  return Math.floor(ms / WHEEL_STEP_MS);
}
