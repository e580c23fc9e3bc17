import { open, stat, truncate } from 'node:fs/promises';
import { codeOf } from '../errors.ts';

/** The size at which the older part of a process's log is dropped. */
export const LOG_BYTES_MAX = 256 * 1024;
const KEEP_BYTES = 64 * 1024;

/**
 * Cuts a file that another process appends to (opened O_APPEND) to its last 64 KiB once it is larger than `bytesMax`. Bytes written
 * between the read and the cut are lost: the file helps people and is no record.
 */
export async function boundFile(path: string, bytesMax = LOG_BYTES_MAX): Promise<void> {
  try {
    if ((await stat(path)).size <= bytesMax) return;
    const tail = await readTail(path, Math.min(KEEP_BYTES, bytesMax));
    await truncate(path, 0);
    const file = await open(path, 'a');
    try {
      await file.write(tail);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** The last bytes of a file as text; empty if it does not exist. */
export async function readTail(path: string, bytesMax: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, bytesMax));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
