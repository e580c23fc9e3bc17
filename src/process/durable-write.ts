import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { codeOf } from '../errors.ts';

/** The suffix of temporary files. One that is left over is from a crash and may be removed. */
export const TEMPORARY_SUFFIX = '.tmp';

/** Per thread. */
let sequence = 0;

/**
 * Replaces a file so that after a crash, ours or the machine's, either the old or the new content is there in full: a temporary file
 * beside it, fsync, rename, fsync of the folder.
 */
export async function writeDurable(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw naming(path, error);
  }
  await sync(dirname(path));
}

/** Gives a file its place in the same folder, so that it is there in full after a crash of the machine. */
export async function renameDurable(from: string, path: string): Promise<void> {
  await sync(from);
  await rename(from, path);
  await sync(dirname(path));
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Replaces a small file so that after a crash of Shoal either the old or the new content is there in full. A crash of the machine may lose
 * it: it is for files about processes, which do not outlive that either. It does not wait for the disk. It is synchronous because four calls
 * of microseconds each cost much less than handing them to another thread.
 */
export function writeAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = temporaryFor(path);
  try {
    writeFileSync(temporary, content, { mode, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw naming(path, error);
  }
}

/** A failed write of an open file does not name it. */
function naming(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (!(error instanceof Error) || code === undefined || error.message.includes(dirname(path))) return error;
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code });
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${threadId}-${++sequence}${TEMPORARY_SUFFIX}`);
}
