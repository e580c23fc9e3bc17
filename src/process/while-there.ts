import { codeOf } from '../errors.ts';

/**
 * What `read` returns; undefined if the file, or the process that it tells of, is not there. Every other error (permission, I/O, no
 * descriptor left) is the caller's: it does not say that nothing is there.
 */
export function whileThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (saysGone(error)) return undefined;
    throw error;
  }
}

/** Whether an error of a file or of /proc says that the file or the process is not there. */
export function saysGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ESRCH';
}
