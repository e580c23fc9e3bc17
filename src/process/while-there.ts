import { codeOf } from '../errors.ts';

/**
 * The result of `read`; undefined if the file or the process does not exist. Every other error (permission, I/O, no descriptor left) is
 * thrown: it does not mean that nothing is there.
 */
export function whileThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (saysGone(error)) return undefined;
    throw error;
  }
}

/** Whether an error of a file or of /proc means that the file or the process does not exist. */
export function saysGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ESRCH';
}
