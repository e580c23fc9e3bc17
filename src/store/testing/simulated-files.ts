import { basename } from 'node:path';
import type { FileSystem, WritableFile } from '../file-system.ts';

/** What becomes of one operation. `crash`: it and all later ones neither take place nor return. */
export type Fault = 'crash' | 'EIO' | 'ENOSPC' | 'EDQUOT';

/** One of the operations that change the disk, counted from 0 in the life of a `SimulatedFiles`. */
export interface Operation {
  readonly index: number;
  readonly kind: 'create' | 'write' | 'sync' | 'close' | 'rename' | 'unlink' | 'sync-folder';
}

interface Inode {
  bytes: Uint8Array;
  /** What a crash cannot take. */
  synced: Uint8Array;
}

type FolderChange = (names: Map<string, Inode>) => void;

const NOTHING = new Uint8Array();

/**
 * One folder on a disk that keeps its promises and not one more: content survives a crash once the file was synced, names once the folder
 * was. Of what was not, a crash keeps whatever it likes.
 */
export class SimulatedFiles implements FileSystem {
  /** Decides on each operation; by default all goes well. */
  faults: (operation: Operation) => Fault | undefined = () => undefined;
  /** Bytes that one write takes at most. */
  writeBytesMax = 1_024;
  readonly operations: Operation[] = [];
  /** Resolves when the crash has come. */
  readonly crashed: Promise<void>;
  #crashedNow = false;
  #tellCrash: () => void = () => undefined;
  #names: Map<string, Inode>;
  readonly #durableNames: Map<string, Inode>;
  #unsyncedChanges: FolderChange[] = [];

  constructor(content: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#durableNames = new Map([...content].map(([name, bytes]) => [name, { bytes, synced: bytes }]));
    this.#names = new Map(this.#durableNames);
    this.crashed = new Promise((resolve) => {
      this.#tellCrash = resolve;
    });
  }

  /** As a program sees it now. */
  get content(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#names].map(([name, inode]) => [name, inode.bytes]));
  }

  /** Stops everything. @param random from 0 up to 1: what is kept of what was not synced @returns the disk as the next life finds it */
  crash(random: () => number): SimulatedFiles {
    this.#crashNow();
    const names = new Map(this.#durableNames);
    for (const change of this.#unsyncedChanges) if (random() < 0.5) change(names);
    return new SimulatedFiles(new Map([...names].map(([name, inode]) => [name, survivor(inode, random)])));
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    await this.#alive();
    return this.#names.get(basename(path))?.bytes;
  }

  async readdir(): Promise<readonly string[]> {
    await this.#alive();
    return [...this.#names.keys()];
  }

  async create(path: string): Promise<WritableFile> {
    await this.#operation('create');
    const name = basename(path);
    if (this.#names.has(name)) throw errno('EEXIST');
    const inode: Inode = { bytes: NOTHING, synced: NOTHING };
    this.#change((names) => names.set(name, inode));
    return {
      write: (bytes) => this.#write(inode, bytes),
      sync: async () => {
        await this.#operation('sync');
        inode.synced = inode.bytes;
      },
      close: () => this.#operation('close'),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation('rename');
    const inode = this.#names.get(basename(from));
    if (inode === undefined) throw errno('ENOENT');
    this.#change((names) => {
      names.delete(basename(from));
      names.set(basename(to), inode);
    });
  }

  async unlink(path: string): Promise<void> {
    await this.#operation('unlink');
    if (!this.#names.has(basename(path))) throw errno('ENOENT');
    this.#change((names) => names.delete(basename(path)));
  }

  async syncFolder(): Promise<void> {
    await this.#operation('sync-folder');
    for (const change of this.#unsyncedChanges) change(this.#durableNames);
    this.#unsyncedChanges = [];
  }

  async #write(inode: Inode, bytes: Uint8Array): Promise<number> {
    let written = Math.min(bytes.length, this.writeBytesMax);
    try {
      await this.#operation('write');
    } catch (error) {
      // What fitted on the disk is there, though the write failed.
      written = Math.floor(written / 2);
      append(inode, bytes.subarray(0, written));
      throw error;
    }
    append(inode, bytes.subarray(0, written));
    return written;
  }

  #change(change: FolderChange): void {
    change(this.#names);
    this.#unsyncedChanges.push(change);
  }

  async #operation(kind: Operation['kind']): Promise<void> {
    await this.#alive();
    const operation = { index: this.operations.length, kind };
    this.operations.push(operation);
    const fault = this.faults(operation);
    if (fault === undefined) return;
    if (fault !== 'crash') throw errno(fault);
    this.#crashNow();
    await this.#alive();
  }

  #crashNow(): void {
    this.#crashedNow = true;
    this.#tellCrash();
  }

  /** As a system call: takes its time, and never comes back to a process that is dead. */
  #alive(): Promise<void> {
    return this.#crashedNow ? new Promise(() => undefined) : Promise.resolve();
  }
}

function append(inode: Inode, bytes: Uint8Array): void {
  inode.bytes = Buffer.concat([inode.bytes, bytes]);
}

/** Unsynced content comes back whole, cut short, with a hole in it or as it was. */
function survivor({ bytes, synced }: Inode, random: () => number): Uint8Array {
  if (bytes === synced) return bytes;
  const cut = Math.floor(random() * bytes.length);
  const kinds = [
    bytes,
    bytes.subarray(0, cut),
    Buffer.concat([bytes.subarray(0, cut), new Uint8Array(bytes.length - cut)]),
    synced,
  ];
  return kinds[Math.floor(random() * kinds.length)] ?? synced;
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
