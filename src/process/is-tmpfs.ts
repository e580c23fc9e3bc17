import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** `TMPFS_MAGIC` of linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;

/** Whether the path is, or would be, on a tmpfs, where files cost no disk access. */
export function isOnTmpfs(path: string): boolean {
  if (!existsSync(path) && dirname(path) !== path) return isOnTmpfs(dirname(path));
  return statfsSync(path).type === TMPFS_MAGIC;
}
