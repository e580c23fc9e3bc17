import { ShoalError } from '../errors.ts';
import type { ImageDocument, StoreDocument } from '../store/mod.ts';
import { type Duration, draw } from './duration.ts';
import type { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';

/** How the disk under the tables behaves. */
export interface DiskBehaviour {
  /** From when a write begins until it is durable. */
  readonly write: Duration;
  /** Of the writes, the part that fails. */
  readonly failedWrites: number;
}

/** The tables' file. It outlives the Shoal that writes it; of a write that a crash interrupts, chance decides whether it took place. */
export class SimulatedDisk {
  document: StoreDocument;
  /** Which image is deployed; undefined if none ever was. */
  image: ImageDocument | undefined;
  /** Told when another document is durable. */
  onWritten: () => void = () => undefined;
  readonly #chance: Chance;
  #writes = 0;
  readonly #behaviour: () => DiskBehaviour;

  constructor(document: StoreDocument, chance: Chance, behaviour: () => DiskBehaviour) {
    this.document = document;
    this.#chance = chance;
    this.#behaviour = behaviour;
  }

  get isWriting(): boolean {
    return this.#writes > 0;
  }

  /** @throws STORE_WRITE_FAILED */
  save(document: StoreDocument, process: SimulatedProcess): Promise<void> {
    return this.#write(process, () => {
      this.document = document;
    });
  }

  /** The file beside the tables. @throws STORE_WRITE_FAILED */
  saveImage(image: ImageDocument, process: SimulatedProcess): Promise<void> {
    return this.#write(process, () => {
      this.image = image;
    });
  }

  #write(process: SimulatedProcess, commit: () => void): Promise<void> {
    const { write, failedWrites } = this.#behaviour();
    const fails = this.#chance.happens(failedWrites);
    return new Promise((resolve, reject) => {
      this.#writes += 1;
      const forget = process.onDeath(() => {
        this.#writes -= 1;
        if (!fails && this.#chance.happens(0.5)) commit();
      });
      process.later(draw(write, this.#chance), () => {
        forget();
        this.#writes -= 1;
        if (fails)
          return reject(new ShoalError('STORE_WRITE_FAILED', 'The tables cannot be written: no space (simulated)'));
        commit();
        this.onWritten();
        resolve();
      });
    });
  }
}
