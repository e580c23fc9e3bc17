import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** `TMPFS_MAGIC` of linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;

/** Whether what is or would be there is in memory: files that come and go then cost no disk. */
export function isOnTmpfs(path: string): boolean {
  if (!existsSync(path) && dirname(path) !== path) return isOnTmpfs(dirname(path));
  return statfsSync(path).type === TMPFS_MAGIC;
}
