import type { Sender } from './mailbox.ts';
import { Ring } from './ring.ts';

/**
 * An actor as backpressure sees it: it pauses while mailboxes that it has sent to are full, and others pause for its
 * own mailbox.
 */
export interface Pausable extends Sender {
  /** The receivers in whose mailboxes it waits for room. */
  readonly awaited: Iterable<Pausable>;
  /** After the message in hand it takes no other until `receiver` resumes it. */
  pause(receiver: Pausable): void;
  resume(receiver: Pausable): void;
  /** `sender`, which waited for room in this mailbox, has ended. */
  forget(sender: Pausable): void;
}

/** Who waits for room in the mailbox of one actor. */
export class RoomQueue {
  readonly #paused = new Set<Pausable>();
  /** First come, first served. */
  readonly #offers = new Ring<() => void>();

  get hasOffers(): boolean {
    return this.#offers.length > 0;
  }

  get isEmpty(): boolean {
    return this.#paused.size === 0 && this.#offers.length === 0;
  }

  add(sender: Pausable): void {
    this.#paused.add(sender);
  }

  forget(sender: Pausable): void {
    this.#paused.delete(sender);
  }

  offer(deliver: () => void): void {
    this.#offers.push(deliver);
  }

  /** The mailbox of `receiver` has room for what paused senders send next, or never will have. */
  resume(receiver: Pausable): void {
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const sender of paused) sender.resume(receiver);
  }

  deliverOffers(hasRoom: () => boolean): void {
    while (hasRoom()) {
      const deliver = this.#offers.shift();
      if (deliver === undefined) return;
      deliver();
    }
  }
}

/** Whether `waiting` waits, directly or through others, for room in the mailbox of `target`. */
export function waitsFor(waiting: Pausable, target: Pausable): boolean {
  const seen = new Set<Pausable>();
  const open = [waiting];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...next.awaited);
  }
  return false;
}
