import { offerTo, type Ref, takesOffers } from '../actors/mod.ts';

interface DeliveryHooks {
  /** The mailbox of an actor is full, or has room again: the other end is to be told. */
  readonly onRoom: (id: number, hasRoom: boolean) => void;
  /** Makes a dead letter of a message for which there is no room. */
  readonly refuse: (path: string, message: unknown) => void;
  /** A ref that is no actor has thrown at a message. */
  readonly onDefect: (path: string, error: unknown) => void;
}

/**
 * Puts messages that have come through a channel into mailboxes. Offered ones wait here while there is no room, and
 * nothing that comes later overtakes them.
 */
export class Delivery {
  readonly #hooks: DeliveryHooks;
  /** Messages that wait for room in the mailbox of an actor, by the number of its ref. */
  readonly #waiting = new Map<number, number>();

  constructor(hooks: DeliveryHooks) {
    this.#hooks = hooks;
  }

  /** @param waits whether the message waits while the mailbox is full */
  deliver(id: number, ref: Ref<never>, message: unknown, waits: boolean): void {
    const { refuse, onDefect } = this.#hooks;
    try {
      const waiting = this.#waiting.get(id) ?? 0;
      if (waits && takesOffers(ref) && (waiting > 0 || !hasRoom(ref))) this.#offer(id, ref, message, waiting);
      // The mailbox may have room already: that is for those that wait, which would be overtaken.
      else if (waiting > 0) refuse(ref.path, message);
      // The sender had the ref's type.
      else ref.tell(message as never);
    } catch (error) {
      onDefect(ref.path, error);
    }
  }

  /** The message is not refused for want of room: it waits for it, and so does whoever sends more. */
  #offer(id: number, ref: Ref<never>, message: unknown, waiting: number): void {
    const { onRoom, onDefect } = this.#hooks;
    if (waiting === 0) onRoom(id, false);
    this.#waiting.set(id, waiting + 1);
    // As above.
    offerTo<never>(ref, message as never).then(
      () => this.#left(id),
      (error: unknown) => {
        onDefect(ref.path, error);
        this.#left(id);
      },
    );
  }

  #left(id: number): void {
    const left = (this.#waiting.get(id) ?? 1) - 1;
    if (left > 0) {
      this.#waiting.set(id, left);
      return;
    }
    this.#waiting.delete(id);
    this.#hooks.onRoom(id, true);
  }
}

/** Whether an actor takes a message now. */
function hasRoom(ref: Ref<never>): boolean {
  // Actors of this thread have both.
  const { depth, capacity } = ref as Ref<never> & { readonly depth?: number; readonly capacity?: number };
  return depth === undefined || capacity === undefined || depth < capacity;
}
