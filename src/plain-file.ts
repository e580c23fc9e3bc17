import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The open of a pipe without a writer would wait for ever, against every signal. */
const WAIT_FOR_NOBODY = constants.O_NONBLOCK | constants.O_NOCTTY;
const READ_NOW = constants.O_RDONLY | WAIT_FOR_NOBODY;

/**
 * The content of a plain file. A pipe could keep the reader waiting for ever, and a device may be endless.
 * @throws an error without a code if it is neither a plain file nor a folder; the errors of `readFile`
 */
export async function readPlainFile(path: string): Promise<Buffer> {
  const file = await open(path, READ_NOW);
  try {
    refuseOthers(path, await file.stat());
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * As `readPlainFile`, for a file that somebody else may have made large.
 * @throws an error without a code for more than `bytesMax`
 */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, READ_NOW);
  try {
    refuseOthers(path, await file.stat());
    const content = await readUpTo(file, bytesMax + 1);
    if (content.length <= bytesMax) return content;
    throw new Error(`${path} has more than ${bytesMax} bytes`);
  } finally {
    await file.close();
  }
}

/** The size that the file system tells need not be true, as in /proc. */
async function readUpTo(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/**
 * As `readPlainFile`, for small files.
 * @throws an error without a code for more than `bytesMax`
 */
export function readPlainFileSync(path: string, bytesMax = Number.POSITIVE_INFINITY): Buffer {
  const file = openPlainFileSync(path, constants.O_RDONLY);
  try {
    const { size } = fstatSync(file);
    if (size > bytesMax) throw new Error(`it has ${size} bytes, and at most ${bytesMax} are read`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a plain file, or a folder if the flags allow one, and waits for nobody.
 * @throws an error without a code if it is something else; the errors of `openSync`
 */
export function openPlainFileSync(path: string, flags: number, mode?: number): number {
  const file = openSync(path, flags | WAIT_FOR_NOBODY, mode);
  try {
    refuseOthers(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** A folder is left to the read, which refuses it with a code of its own. */
function refuseOthers(path: string, stats: Stats): void {
  if (stats.isFile() || stats.isDirectory()) return;
  throw new Error(`${path} is a ${stats.isFIFO() ? 'pipe' : 'device'}, and it must be a plain file`);
}
