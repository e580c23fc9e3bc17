import { EMPTY_DOCUMENT, type StoreDocument } from './document.ts';
import type { Store } from './port.ts';
import { type StoreOptions, TableStore } from './table-store.ts';

/** A simulated disk, which outlives its store: a simulated restart opens a second store on `crash()`. */
export class MemoryDisk {
  #document: StoreDocument;
  #detached = false;
  /** While it is set, every write fails with it, as on a full disk. */
  failure: Error | undefined;

  constructor(document: StoreDocument = EMPTY_DOCUMENT) {
    this.#document = document;
  }

  get document(): StoreDocument {
    return this.#document;
  }

  async write(document: StoreDocument): Promise<void> {
    // A dead process's write neither takes place nor returns.
    if (this.#detached) return new Promise(() => undefined);
    if (this.failure !== undefined) throw this.failure;
    this.#document = document;
  }

  /** Cuts off the store that has it open. @returns the same disk, for the next store */
  crash(): MemoryDisk {
    this.#detached = true;
    return new MemoryDisk(this.#document);
  }
}

export interface MemoryStoreOptions extends StoreOptions {
  readonly disk?: MemoryDisk;
}

/** A store for tests: the same tables and group commit, on a simulated disk. */
export function openMemoryStore({ disk = new MemoryDisk(), ...options }: MemoryStoreOptions): Promise<Store> {
  return TableStore.open(disk.document, { save: (document) => disk.write(document) }, options);
}
