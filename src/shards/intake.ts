import { HeldBatches } from './held-batches.ts';
import { Marks } from './marks.ts';
import { type Batch, type Extras, OP, type Op, PARTS } from './wire.ts';

interface IntakeOptions {
  readonly deliver: (to: number, message: unknown, extras: Extras | undefined, waits: boolean) => void;
  readonly obey: (op: Op) => void;
  /** Called after each batch, or the part of it that could be taken. */
  readonly onTaken: () => void;
  /** Whether messages may be taken; they wait meanwhile. Default: always. */
  readonly mayTake: (() => boolean) | undefined;
  /** While they may not be: calls back once they may, perhaps. @returns how to cancel it */
  readonly onMayTake: ((callback: () => void) => () => void) | undefined;
  /** What must come before an op is obeyed; undefined if nothing must, or it has come. */
  readonly waitFor: ((op: Op) => Promise<void> | undefined) | undefined;
}

/** Takes what comes through a channel, in order and item by item. All waits while it may not take the next item. */
export class Intake {
  /** Those of the other end that have been reached. */
  readonly marks = new Marks();
  readonly #options: IntakeOptions;
  readonly #held = new HeldBatches();
  #closed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  receive(batch: Batch): void {
    if (!this.#held.isEmpty) {
      this.#held.add(batch, this.#urgent);
      return;
    }
    if (!this.#mayTake) {
      this.#held.add(batch, this.#urgent);
      void this.#takeHeld(undefined);
      return;
    }
    const blocked = this.#take(batch);
    if (blocked !== undefined) void this.#takeHeld(blocked);
  }

  /** Takes all that has come, although it may have to wait for something: that will not come any more. */
  takeAll(): void {
    for (let batch = this.#held.first; batch !== undefined; batch = this.#held.first) {
      this.#held.shift();
      void this.#take(batch);
    }
  }

  close(): void {
    this.#closed = true;
    this.marks.close();
  }

  /** What others wait for is taken in any case. */
  get #mayTake(): boolean {
    return this.marks.isAwaited || (this.#options.mayTake?.() ?? true);
  }

  /** Acknowledgements are what gives room again, and relayed messages are waited for elsewhere. Neither waits. */
  readonly #urgent = (op: Op): boolean => {
    if (op.op !== 'ack' && op.op !== 'relayed') return false;
    this.#options.obey(op);
    return true;
  };

  async #takeHeld(blocked: Promise<void> | undefined): Promise<void> {
    await blocked;
    for (let batch = this.#held.first; batch !== undefined; batch = this.#held.first) {
      if (this.#closed) return;
      if (!this.#mayTake) {
        await this.#mayTakeAgain();
        continue;
      }
      this.#held.shift();
      await this.#take(batch);
    }
  }

  #mayTakeAgain(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        for (const cancel of cancels) cancel();
        resolve();
      };
      const cancels = [this.marks.onAwaited(done), this.#options.onMayTake?.(done) ?? (() => undefined)];
    });
  }

  /** @returns what the rest of the batch waits for */
  #take(batch: Batch): Promise<void> | undefined {
    const blocked = this.#takeItems(batch);
    this.#options.onTaken();
    return blocked;
  }

  #takeItems(batch: Batch): Promise<void> | undefined {
    const { deliver, obey, waitFor } = this.#options;
    for (let index = 0; index < batch.length; index += PARTS) {
      // The parts of an item (`itemAt`), as `BatchWriter` has put them there.
      const to = batch[index] as number;
      if (to !== OP) {
        // As above.
        deliver(to, batch[index + 1], batch[index + 2] as Extras | undefined, batch[index + 3] === true);
        continue;
      }
      // Only `BatchWriter.op` writes to that address.
      const op = batch[index + 1] as Op;
      const blocked = waitFor?.(op);
      if (blocked !== undefined) {
        this.#held.putBack(batch.slice(index), this.#urgent);
        return blocked;
      }
      obey(op);
    }
    return undefined;
  }
}
