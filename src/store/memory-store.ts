import { EMPTY_DOCUMENT, type StoreDocument } from './document.ts';
import type { Store } from './port.ts';
import { type StoreOptions, TableStore } from './table-store.ts';

/** What a simulated disk holds. It outlives the store, as a disk does: a simulated restart opens a second store over `crash()`. */
export class MemoryDisk {
  #document: StoreDocument;
  #detached = false;
  /** While it is set, every write fails with it: a full disk. */
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

  /** Cuts off whoever has it open. @returns the same disk for who comes next */
  crash(): MemoryDisk {
    this.#detached = true;
    return new MemoryDisk(this.#document);
  }
}

export interface MemoryStoreOptions extends StoreOptions {
  readonly disk?: MemoryDisk;
}

/** The store of tests and of the simulation: the same tables and the same group commit over a disk that is simulated. */
export function openMemoryStore({ disk = new MemoryDisk(), ...options }: MemoryStoreOptions): Promise<Store> {
  return TableStore.open(disk.document, { save: (document) => disk.write(document) }, options);
}
