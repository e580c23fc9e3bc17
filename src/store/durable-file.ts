import { basename, dirname, join } from 'node:path';
import type { FileSystem, WritableFile } from './file-system.ts';

const TEMPORARY_SUFFIX = '.tmp';

/** A file whose content is replaced as a whole: after a crash at any point it has the old or the new content in full. */
export class DurableFile {
  readonly path: string;
  readonly folder: string;
  readonly #files: FileSystem;
  readonly #temporaryPrefix: string;
  #sequence = 0;

  constructor(path: string, files: FileSystem) {
    this.path = path;
    this.folder = dirname(path);
    this.#files = files;
    this.#temporaryPrefix = `.${basename(path)}.`;
  }

  /** Undefined if it was never written. */
  read(): Promise<Uint8Array | undefined> {
    return this.#files.readFile(this.path);
  }

  async replace(content: Uint8Array): Promise<void> {
    const temporary = join(
      this.folder,
      `${this.#temporaryPrefix}${process.pid}-${++this.#sequence}${TEMPORARY_SUFFIX}`,
    );
    try {
      await this.#write(temporary, content);
      await this.#files.rename(temporary, this.path);
    } catch (error) {
      // On a full disk half a file must not take up room. If this fails, the next open removes it.
      await this.#files.unlink(temporary).catch(() => undefined);
      throw error;
    }
    await this.#files.syncFolder(this.folder);
  }

  /** Removes temporary files that a crash in `replace` left. Only the one writer may do so, at its start. */
  async removeLeftOvers(): Promise<void> {
    for (const name of await this.#files.readdir(this.folder)) {
      if (!name.startsWith(this.#temporaryPrefix) || !name.endsWith(TEMPORARY_SUFFIX)) continue;
      await this.#files.unlink(join(this.folder, name));
    }
  }

  async #write(path: string, content: Uint8Array): Promise<void> {
    const file = await this.#files.create(path);
    try {
      await writeAll(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** A nearly full disk takes a part and reports the error only at the next write. */
async function writeAll(file: WritableFile, content: Uint8Array): Promise<void> {
  for (let at = 0; at < content.length; ) {
    const written = await file.write(content.subarray(at));
    if (written === 0) throw new Error('the file took no more bytes and named no reason');
    at += written;
  }
}
