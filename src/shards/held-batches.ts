import { type Batch, itemAt, OP, type Op, PARTS } from './wire.ts';

/** Batches that have come and wait. */
export class HeldBatches {
  readonly #batches: Batch[] = [];

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get first(): Batch | undefined {
    return this.#batches[0];
  }

  /** @param urgent obeys at once what others wait for, and says whether it did; everything else in the batch waits */
  add(batch: Batch, urgent: (op: Op) => boolean): void {
    this.#batches.push(withoutUrgent(batch, urgent));
  }

  /** Puts the rest of a batch before all others. */
  putBack(batch: Batch, urgent: (op: Op) => boolean): void {
    this.#batches.unshift(withoutUrgent(batch, urgent));
  }

  shift(): void {
    this.#batches.shift();
  }
}

function withoutUrgent(batch: Batch, urgent: (op: Op) => boolean): Batch {
  const others: unknown[] = [];
  for (let index = 0; index < batch.length; index += PARTS) {
    const item = itemAt(batch, index);
    // Only `BatchWriter.op` writes to that address.
    const op = item[0] === OP ? (item[1] as Op) : undefined;
    if (op === undefined || !urgent(op)) others.push(...item);
  }
  return others;
}
