import { codeOf } from '../errors.ts';

/** What `read` returns; undefined if there is no such file. Every other error is the caller's: it does not say that nothing is there. */
export function whileThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
