import { dirname } from 'node:path';
import { ShoalError, whyUnreadable } from '../errors.ts';
import { readPlainFileSync } from '../plain-file.ts';
import { whileThere } from '../process/mod.ts';

/**
 * The content of a small file in a data directory; undefined if there is none.
 * @param hence what follows from the failure, for its message
 * @throws DATA_DIR_UNUSABLE if it cannot be read, or is no plain file
 */
export function readDataFile(path: string, hence = ''): Buffer | undefined {
  try {
    return whileThere(() => readPlainFileSync(path));
  } catch (cause) {
    throw new ShoalError('DATA_DIR_UNUSABLE', `The file ${path} cannot be read: ${whyUnreadable(cause)}${hence}`, {
      cause,
      details: { directory: dirname(path) },
    });
  }
}
