import { LinkedList } from './linked-list.ts';
import type { Sender } from './mailbox.ts';

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
}

/** An actor with a mailbox as backpressure sees it. */
interface Receiver extends Pausable {
  readonly depth: number;
  readonly capacity: number;
}

/**
 * A mailbox with backpressure takes so many times its capacity, because a paused sender still finishes the message in
 * hand.
 */
const PAUSED_CAPACITY_TIMES = 2;

/** A message that waits for room in a mailbox. */
interface Offer {
  readonly mailbox: { beginOffer(): void; endOffer(): void };
  readonly take: () => boolean;
  readonly giveUp: () => boolean;
  readonly signal: AbortSignal | undefined;
}

/** Who waits for room in the mailbox of one actor. */
export class RoomQueue {
  readonly #paused = new Set<Pausable>();
  /** First come, first served. */
  readonly #offers = new LinkedList<() => void>();

  get hasOffers(): boolean {
    return this.#offers.length > 0;
  }

  add(sender: Pausable): void {
    this.#paused.add(sender);
  }

  /** Resolves with the result of `take`, which is called once there is room, or else with that of `giveUp`. */
  offer({ mailbox, take, giveUp, signal }: Offer): Promise<boolean> {
    mailbox.beginOffer();
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => boolean): void => {
        signal?.removeEventListener('abort', aborted);
        // In the same turn as it is taken, or it would be counted twice for a while.
        mailbox.endOffer();
        try {
          resolve(outcome());
        } catch (error) {
          // The mailbox cannot take this message, which is no fault of its owner.
          reject(error);
        }
      };
      const node = this.#offers.push(() => settle(take));
      const aborted = (): void => {
        this.#offers.remove(node);
        settle(giveUp);
      };
      signal?.addEventListener('abort', aborted);
    });
  }

  /** Some messages of `receiver` were handled. @returns whether nobody waits any more */
  open(receiver: Receiver): boolean {
    // Not before the mailbox is half empty, or senders would be woken for each message.
    if (receiver.depth <= receiver.capacity / 2) this.#resume(receiver);
    this.#deliverOffers(() => receiver.depth < receiver.capacity);
    return this.#paused.size === 0 && this.#offers.length === 0;
  }

  /** `receiver` takes no more messages. Offers become dead letters, as do messages of senders that go on. */
  close(receiver: Receiver): void {
    this.#resume(receiver);
    this.#deliverOffers(() => true);
  }

  #resume(receiver: Receiver): void {
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const sender of paused) sender.resume(receiver);
  }

  #deliverOffers(hasRoom: () => boolean): void {
    while (hasRoom()) {
      const deliver = this.#offers.shift();
      if (deliver === undefined) return;
      deliver();
    }
  }
}

/** Whether a message of `sender` may be taken beyond the capacity of `receiver`, while `sender` is paused. */
export function mayPause(receiver: Receiver, sender: Pausable | undefined): sender is Pausable {
  const isFull = receiver.depth >= receiver.capacity * PAUSED_CAPACITY_TIMES;
  return sender !== undefined && !isFull && !waitsFor(receiver, sender);
}

/** Whether `waiting` waits, directly or through others, for room in the mailbox of `target`. */
function waitsFor(waiting: Pausable, target: Pausable): boolean {
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
