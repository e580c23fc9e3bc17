import { type Clock, exponentialDelayMs } from '../../actors/mod.ts';
import type { ImageDocument, ImageStore } from '../../store/mod.ts';

export interface ImageDocumentWriterOptions {
  readonly store: Pick<ImageStore, 'save'>;
  readonly clock: Clock;
  /** The document as it is to be now. */
  readonly latest: () => ImageDocument;
  /** Told of the first of several failures in a row. */
  readonly onFailure: (error: unknown) => void;
}

const RETRY = { firstMs: 250, maxMs: 10_000 };

/** Writes the document of what is deployed, one write after the other. */
export class ImageDocumentWriter {
  readonly #options: ImageDocumentWriterOptions;
  #lastWrite: Promise<void> = Promise.resolve();
  /** The latest document is not on its way to the disk. */
  #isDirty = false;
  #keeping: Promise<void> | undefined;

  constructor(options: ImageDocumentWriterOptions) {
    this.#options = options;
  }

  /** @throws STORE_WRITE_FAILED */
  write(document: ImageDocument): Promise<void> {
    const write = this.#lastWrite.then(() => this.#options.store.save(document));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  /** Writes the latest document again and again until it is durable; never rejects. */
  keep(): Promise<void> {
    this.#isDirty = true;
    this.#keeping ??= this.#untilDurable();
    return this.#keeping;
  }

  async #untilDurable(): Promise<void> {
    const { clock, latest, onFailure } = this.#options;
    for (let failures = 0; this.#isDirty; ) {
      this.#isDirty = false;
      try {
        await this.write(latest());
        failures = 0;
      } catch (error) {
        this.#isDirty = true;
        if (failures === 0) onFailure(error);
        const delayMs = exponentialDelayMs(RETRY, failures);
        failures += 1;
        await new Promise<void>((resolve) => clock.timer(delayMs, resolve));
      }
    }
    // At once: a promise's reaction would come later, and whoever calls `keep` before it would be passed over.
    this.#keeping = undefined;
  }
}
