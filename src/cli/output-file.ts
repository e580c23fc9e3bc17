import { accessSync, closeSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { openPlainFileSync } from '../plain-file.ts';

const { O_CREAT, O_TRUNC, O_WRONLY, W_OK } = constants;

/** A file that a flag names. */
export interface OutputFile {
  readonly flag: string;
  readonly path: string;
}

/**
 * To be called before a long run whose result is to be written there.
 * @throws OUTPUT_UNWRITABLE if that cannot be, as far as that is known
 */
export function checkWritable({ flag, path }: OutputFile): void {
  try {
    closeSync(openPlainFileSync(path, O_WRONLY));
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw unwritable({ flag, path }, cause);
    checkFolder({ flag, path });
  }
}

function checkFolder({ flag, path }: OutputFile): void {
  try {
    accessSync(`${dirname(path)}/`, W_OK);
  } catch (cause) {
    throw unwritable({ flag, path }, cause);
  }
}

/** @throws OUTPUT_UNWRITABLE */
export function writeOutput({ flag, path }: OutputFile, text: string): void {
  try {
    const file = openPlainFileSync(path, O_WRONLY | O_CREAT | O_TRUNC);
    try {
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unwritable({ flag, path }, cause);
  }
}

function unwritable({ flag, path }: OutputFile, cause: unknown): ShoalError {
  const remedy = `give ${flag} a plain file in a folder that this user may write to`;
  return new ShoalError('OUTPUT_UNWRITABLE', `${path} cannot be written: ${messageOf(cause)}; ${remedy}`, { cause });
}
