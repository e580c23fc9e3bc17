import { createHash } from 'node:crypto';

/**
 * Names what stands outside of a data directory: short, and the same for the same directory.
 * @param path the directory's real path
 */
export function tagOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}
