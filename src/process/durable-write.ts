import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What a temporary file of `writeDurable` ends in; one that is left over is the trace of a crash and may be removed. */
export const TEMPORARY_SUFFIX = '.tmp';

let sequence = 0;

/**
 * Replaces a file so that after a crash, ours or the machine's, either the old or the new content is there in full: a temporary file
 * beside it, fsync, rename, fsync of the folder.
 */
export async function writeDurable(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${++sequence}${TEMPORARY_SUFFIX}`);
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
    throw error;
  }
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
