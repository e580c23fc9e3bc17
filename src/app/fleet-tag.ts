import { createHash } from 'node:crypto';

/**
 * The name of a fleet's run directories, control groups and users of VMs, which stand outside of its data directory. The same path has
 * the same tag.
 * @param path the directory's real path
 */
export function tagOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}
