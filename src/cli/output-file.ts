import { accessSync, closeSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { openPlainFileSync } from '../plain-file.ts';

const { O_CREAT, O_TRUNC, O_WRONLY, W_OK } = constants;
const REMEDY = 'name a plain file in a folder that this user may write to';

/**
 * To be called before a long run whose result is to be written there.
 * @throws OUTPUT_UNWRITABLE if that cannot be, as far as that is known
 */
export function checkWritable(path: string): void {
  try {
    closeSync(openPlainFileSync(path, O_WRONLY));
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw unwritable(path, cause);
    checkFolder(path);
  }
}

function checkFolder(path: string): void {
  try {
    accessSync(`${dirname(path)}/`, W_OK);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** @throws OUTPUT_UNWRITABLE */
export function writeOutput(path: string, text: string): void {
  try {
    const file = openPlainFileSync(path, O_WRONLY | O_CREAT | O_TRUNC);
    try {
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): ShoalError {
  return new ShoalError('OUTPUT_UNWRITABLE', `${path} cannot be written: ${messageOf(cause)}; ${REMEDY}`, { cause });
}
