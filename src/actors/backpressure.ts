import type { Sender } from './mailbox.ts';
import { Ring } from './ring.ts';

/** An actor as backpressure sees it: it may wait for room in mailboxes, and others may wait for room in its own. */
export interface Holdable extends Sender {
  /** Those in whose mailboxes it waits for room. */
  readonly awaited: Iterable<Holdable>;
  /** From the message in hand on it takes no other until `receiver` releases it. */
  hold(receiver: Holdable): void;
  release(receiver: Holdable): void;
  /** `sender`, which waited for room here, has ended. */
  forget(sender: Holdable): void;
}

/** Who waits for room in the mailbox of one actor. */
export class RoomQueue {
  readonly #held = new Set<Holdable>();
  /** First come, first served. */
  readonly #offers = new Ring<() => void>();

  get hasOffers(): boolean {
    return this.#offers.length > 0;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#offers.length === 0;
  }

  hold(sender: Holdable): void {
    this.#held.add(sender);
  }

  forget(sender: Holdable): void {
    this.#held.delete(sender);
  }

  offer(deliver: () => void): void {
    this.#offers.push(deliver);
  }

  /** There is room for what held senders send next, or never will be again. */
  release(receiver: Holdable): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const sender of held) sender.release(receiver);
  }

  deliverOffers(hasRoom: () => boolean): void {
    while (hasRoom()) {
      const deliver = this.#offers.shift();
      if (deliver === undefined) return;
      deliver();
    }
  }
}

/** Whether `waiting`, directly or through others, waits for room in the mailbox of `target`. */
export function waitsFor(waiting: Holdable, target: Holdable): boolean {
  const seen = new Set<Holdable>();
  const open = [waiting];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...next.awaited);
  }
  return false;
}
