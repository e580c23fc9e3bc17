import { type Adapter, Low } from 'lowdb';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { EMPTY_DOCUMENT, type StoreDocument } from './document.ts';
import { documentFromBytes, documentToText } from './document-text.ts';
import { DurableFile } from './durable-file.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import type { Store } from './port.ts';
import { type StoreOptions, TableStore } from './table-store.ts';

export interface LowdbStoreOptions extends StoreOptions {
  /** The file, in an existing folder. The lock of the data directory keeps other processes from writing it. */
  readonly path: string;
  readonly files?: FileSystem;
}

/**
 * The tables of one host in one JSON file, kept by lowdb.
 * @throws STORE_DAMAGED, STORE_FOREIGN, STORE_NEWER if the file cannot be used; it is left as it is. STORE_UNREADABLE,
 * STORE_WRITE_FAILED
 */
export async function openLowdbStore({ path, files = nodeFileSystem, ...options }: LowdbStoreOptions): Promise<Store> {
  const file = new DurableFile(path, files);
  const low = new Low<StoreDocument>(new DurableAdapter(file), EMPTY_DOCUMENT);
  await low.read();
  await file.removeLeftOvers().catch((cause: unknown) => {
    throw unreadable(file.folder, cause);
  });
  return TableStore.open(low.data, { save: (document) => save(low, document) }, options);
}

function save(low: Low<StoreDocument>, document: StoreDocument): Promise<void> {
  low.data = document;
  return low.write();
}

/** lowdb's own file adapter renames without fsync, and may drop one of two writes close together. */
class DurableAdapter implements Adapter<StoreDocument> {
  readonly #file: DurableFile;

  constructor(file: DurableFile) {
    this.#file = file;
  }

  async read(): Promise<StoreDocument | null> {
    const bytes = await this.#file.read().catch((cause: unknown) => {
      throw unreadable(this.#file.path, cause);
    });
    return bytes === undefined ? null : documentFromBytes(bytes, this.#file.path);
  }

  async write(document: StoreDocument): Promise<void> {
    try {
      await this.#file.replace(new TextEncoder().encode(documentToText(document)));
    } catch (cause) {
      throw notWritten(this.#file.path, cause);
    }
  }
}

function unreadable(path: string, cause: unknown): ShoalError {
  return new ShoalError(
    'STORE_UNREADABLE',
    `The tables cannot be read: ${path} (${messageOf(cause)}); see that this user may read and write it`,
    { cause, details: { path } },
  );
}

/** The disk, or the user's quota, is full. */
const FULL = ['ENOSPC', 'EDQUOT'];

function notWritten(path: string, cause: unknown): ShoalError {
  const remedy = FULL.includes(codeOf(cause) ?? '')
    ? 'make room on its disk'
    : 'see that its disk and folder take writes';
  return new ShoalError(
    'STORE_WRITE_FAILED',
    `The tables could not be written to ${path} (${messageOf(cause)}): what was to be changed is not done; ${remedy}. ` +
      'The next change tries again',
    { cause, details: { path, cause: codeOf(cause) ?? null } },
  );
}
