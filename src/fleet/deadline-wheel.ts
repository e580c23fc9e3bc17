import { LinkedList, type ListNode } from './linked-list.ts';

const SLOTS = 1_024;
/** How much later than its deadline, or than it was added, an item may be found due. */
export const WHEEL_STEP_MS = 16;

interface Timed<T> {
  readonly item: T;
  readonly deadlineMs: number;
}

export type WheelEntry<T> = ListNode<Timed<T>>;

/** Deadlines of very many items at one timer's cost: adding and removing are constant, time moves in steps of 16 ms. */
export class DeadlineWheel<T> {
  readonly #slots: LinkedList<Timed<T>>[] = Array.from({ length: SLOTS }, () => new LinkedList<Timed<T>>());
  #doneStep: number;

  constructor(nowMs: number) {
    this.#doneStep = stepOf(nowMs) - 1;
  }

  add(item: T, deadlineMs: number): WheelEntry<T> {
    // A deadline that has passed already is due at the next look, not a whole turn of the wheel later.
    const step = Math.max(stepOf(deadlineMs), this.#doneStep + 1);
    return this.#slot(step).push({ item, deadlineMs });
  }

  remove(entry: WheelEntry<T>): void {
    entry.list?.remove(entry);
  }

  /** Takes out and returns what is due. */
  due(nowMs: number): T[] {
    const items: T[] = [];
    const nowStep = stepOf(nowMs);
    // After a long pause one turn of the wheel looks at everything.
    const from = Math.max(this.#doneStep + 1, nowStep - SLOTS);
    for (let step = from; step < nowStep; step++) this.#collect(this.#slot(step), nowMs, items);
    this.#doneStep = Math.max(this.#doneStep, nowStep - 1);
    return items;
  }

  /** An item of a later turn of the wheel shares the slot; it stays. */
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
