import { statSync } from 'node:fs';

/** What tells a file or folder from its copies and stays the same when it is moved, as text: its device and inode. */
export function inodeOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}
