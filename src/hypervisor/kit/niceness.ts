import { readFileSync } from 'node:fs';
import { whyUncapped } from '../qemu/cgroup.ts';

/** The nice value of a process's session; undefined on a kernel that does not share CPUs by sessions. */
export function nicenessOf(pid: number): number | undefined {
  try {
    return Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/** What `nicenessOf` a VM is while it gives way, on this host and for this user. */
export function lowNiceness(): number | undefined {
  const usual = nicenessOf(process.pid);
  if (usual === undefined) return undefined;
  const isOn = readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim() === '1';
  return isOn && process.geteuid?.() === 0 && whyUncapped() !== undefined ? 8 : 0;
}
