import { open, readdir, rename, unlink } from 'node:fs/promises';
import { codeOf } from '../errors.ts';
import { readPlainFile } from '../plain-file.ts';

/** The file system as a port, small enough for tests to make it fail or crash at every point. Errors are Node's. */
export interface FileSystem {
  /** Undefined if there is no such file. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Names, not paths. */
  readdir(folder: string): Promise<readonly string[]>;
  /** A new file; fails if there is one. */
  create(path: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Afterwards the names in the folder survive a crash of the machine. */
  syncFolder(folder: string): Promise<void>;
}

export interface WritableFile {
  /** @returns how many bytes were written, which may be fewer than were given */
  write(bytes: Uint8Array): Promise<number>;
  /** Afterwards the content survives a crash of the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Only the owner reads the tables. */
const FILE_MODE = 0o600;

export const nodeFileSystem: FileSystem = {
  async readFile(path) {
    try {
      return await readPlainFile(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  readdir: (folder) => readdir(folder),
  async create(path) {
    const file = await open(path, 'wx', FILE_MODE);
    return {
      write: async (bytes) => (await file.write(bytes)).bytesWritten,
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename,
  unlink,
  async syncFolder(folder) {
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
