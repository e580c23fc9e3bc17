import { ShoalError } from '../errors.ts';
import type { TableState } from './table-state.ts';

/** More than a fleet asks for during one write. A disk that hangs must not use up the memory. */
const CHANGES_WAITING_MAX = 100_000;

interface Waiting {
  /** Tries the change on the draft. @returns what settles its promise once the draft is durable */
  readonly attempt: (draft: TableState) => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: changes of one turn, or that arrive during a write, are applied in order to one draft and written together. `state` is
 * durable. A draft that cannot be written is dropped, and its changes are rejected.
 */
export class CommitQueue {
  #state: TableState;
  #waiting: Waiting[] = [];
  #running = false;
  /** False after a failed write: its rename may have reached the disk, so the next group is written even if it changes nothing. */
  #diskKnown = true;
  readonly #save: (draft: TableState) => Promise<() => void>;

  /** @param save resolves once the draft is durable, with what is to be called in the moment in which it becomes the state */
  constructor(state: TableState, save: (draft: TableState) => Promise<() => void>) {
    this.#state = state;
    this.#save = save;
  }

  get state(): TableState {
    return this.#state;
  }

  /** @param change must have changed nothing if it throws */
  submit<Result>(change: (draft: TableState) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= CHANGES_WAITING_MAX) throw overfull();
      const attempt = (draft: TableState): (() => void) => {
        try {
          const result = change(draft);
          return () => resolve(result);
        } catch (error) {
          return () => reject(error);
        }
      };
      this.#waiting.push({ attempt, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Other changes of this turn join the group.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0));
    this.#running = false;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const draft = this.#state.copy();
      const outcomes = group.map(({ attempt }) => attempt(draft));
      if (draft.changed || !this.#diskKnown) await this.#write(draft);
      for (const settle of outcomes) settle();
    } catch (error) {
      // Refused changes get the error of the write too: the change that made them invalid did not happen.
      for (const { reject } of group) reject(error);
    }
  }

  async #write(draft: TableState): Promise<void> {
    this.#diskKnown = false;
    const becameState = await this.#save(draft);
    this.#diskKnown = true;
    this.#state = draft;
    becameState();
  }
}

function overfull(): ShoalError {
  return new ShoalError(
    'STORE_WRITE_FAILED',
    `${CHANGES_WAITING_MAX} changes of the tables wait for the disk already; this one was not made`,
  );
}
