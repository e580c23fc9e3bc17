import { offerTo, type Ref, takesOffers } from '../actors/mod.ts';

export interface DeliveryOptions {
  /** The mailbox of an actor is full, or has room again: the other end is to be told. */
  readonly onRoom: (to: number, hasRoom: boolean) => void;
  readonly onDefect: (path: string, error: unknown) => void;
}

/** Puts messages that have come through a channel into mailboxes. */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Messages that wait for room in the mailbox of an actor, by its id. */
  readonly #waiting = new Map<number, number>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** @param waits whether the message waits while the mailbox is full */
  deliver(to: number, ref: Ref<never>, message: unknown, waits: boolean): void {
    try {
      if (waits && takesOffers(ref)) this.#deliverWaiting(to, ref, message);
      // The sender had the ref's type.
      else ref.tell(message as never);
    } catch (error) {
      this.#options.onDefect(ref.path, error);
    }
  }

  /** The message is not refused for want of room: it waits for it, and so does whoever sends more. */
  #deliverWaiting(to: number, ref: Ref<never>, message: unknown): void {
    const { onRoom, onDefect } = this.#options;
    const waiting = this.#waiting.get(to) ?? 0;
    if (waiting === 0 && hasRoom(ref)) {
      // The sender had the ref's type.
      ref.tell(message as never);
      return;
    }
    if (waiting === 0) onRoom(to, false);
    this.#waiting.set(to, waiting + 1);
    const done = (): void => {
      const left = (this.#waiting.get(to) ?? 1) - 1;
      if (left > 0) {
        this.#waiting.set(to, left);
        return;
      }
      this.#waiting.delete(to);
      onRoom(to, true);
    };
    // As above.
    offerTo<never>(ref, message as never).then(done, (error: unknown) => {
      onDefect(ref.path, error);
      done();
    });
  }
}

/** Whether an actor takes a message now. */
function hasRoom(ref: Ref<never>): boolean {
  const { depth, capacity } = ref as Ref<never> & { readonly depth?: number; readonly capacity?: number };
  return depth === undefined || capacity === undefined || depth < capacity;
}
