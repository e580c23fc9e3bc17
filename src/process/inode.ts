import { statSync } from 'node:fs';

/** Device and inode as text. A file or folder keeps them when it is moved, and its copies have others. */
export function inodeOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}
