import { readFileSync } from 'node:fs';

/** The user ids of VMs: a range that neither distributions nor systemd hand out. */
export const VM_USERS = { first: 0x70000000, last: 0x7fffffff } as const;

/**
 * What Shoal's own user means for those of VMs:
 * - `own`: root, and each VM runs under a user id of its own.
 * - `root`: root of a user namespace in which the ids of VMs are not, as in a rootless container. VMs run under this user,
 *   and lose root's capabilities in another way.
 * - `user`: VMs run under this user, which has no capabilities.
 */
export type VmUsers = 'own' | 'root' | 'user';

/** Looked up once: the ids of a user namespace are written before anything runs as its root. */
export function vmUsers(): VmUsers {
  known ??= look();
  return known;
}

let known: VmUsers | undefined;

function look(): VmUsers {
  if (process.getuid?.() !== 0) return 'user';
  const maps = ['uid_map', 'gid_map'].map((name) => readFileSync(`/proc/self/${name}`, 'latin1'));
  return maps.every(hasVmUsers) ? 'own' : 'root';
}

/** @param map of a user namespace: lines of the first id inside, the first one outside, and how many (user_namespaces(7)) */
export function hasVmUsers(map: string): boolean {
  return map.split('\n').some((line) => {
    const [first = Number.NaN, , count = 0] = line.trim().split(/\s+/).map(Number);
    return first <= VM_USERS.first && first + count > VM_USERS.last;
  });
}
