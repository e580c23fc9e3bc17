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

/** What `nicenessOf` a VM is on this host and for this user, usually and while it gives way. */
export function nicenessOfVms(): { readonly usual: number | undefined; readonly low: number | undefined } {
  const own = nicenessOf(process.pid);
  if (own === undefined) return { usual: undefined, low: undefined };
  const isOn = readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim() === '1';
  const isChanged = isOn && process.geteuid?.() === 0 && whyUncapped() !== undefined;
  return isChanged ? { usual: 5, low: 13 } : { usual: 0, low: 0 };
}
