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

  /** @param acknowledged is told at once of what the batch acknowledges; everything else in it waits */
  add(batch: Batch, acknowledged: (count: number) => void): void {
    const others: unknown[] = [];
    for (let index = 0; index < batch.length; index += PARTS) {
      const item = itemAt(batch, index);
      // Only `BatchWriter.op` writes to that address.
      const op = item[0] === OP ? (item[1] as Op) : undefined;
      if (op?.op === 'ack') acknowledged(op.count);
      else others.push(...item);
    }
    this.#batches.push(others);
  }

  shift(): void {
    this.#batches.shift();
  }
}
