import { offerTo, type Ref, takesOffers } from '../actors/mod.ts';

export interface WaitingRoomOptions {
  /** The mailbox of an actor is full, or has room again. */
  readonly onRoom: (id: number, hasRoom: boolean) => void;
  /** A ref that is no actor has thrown at a message. */
  readonly onDefect: (path: string, error: unknown) => void;
}

/** Where offered messages wait for room in the mailboxes of their actors. Whoever offers more is told to wait, too. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  /** How many wait, by the number of the ref. */
  readonly #waiting = new Map<number, number>();

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  deliver(id: number, ref: Ref<never>, message: unknown): void {
    const waiting = this.#waiting.get(id) ?? 0;
    if (!takesOffers(ref) || (waiting === 0 && hasRoom(ref))) {
      // The sender had the ref's type.
      ref.tell(message as never);
      return;
    }
    if (waiting === 0) this.#options.onRoom(id, false);
    this.#waiting.set(id, waiting + 1);
    // As above.
    offerTo<never>(ref, message as never).then(
      () => this.#left(id),
      (error: unknown) => {
        this.#options.onDefect(ref.path, error);
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
    this.#options.onRoom(id, true);
  }
}

/** Whether an actor takes a message now. */
function hasRoom(ref: Ref<never>): boolean {
  // Actors of this thread have both.
  const { depth, capacity } = ref as Ref<never> & { readonly depth?: number; readonly capacity?: number };
  return depth === undefined || capacity === undefined || depth < capacity;
}
