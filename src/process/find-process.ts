import { readdirSync, readFileSync } from 'node:fs';
import { identify } from './identity.ts';
import type { ProcessIdentity } from './spawner.ts';

/** The running process that has exactly this as one of its arguments after the first, such as a file of its own. */
export function findByArgument(argument: string): ProcessIdentity | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const pid = Number(entry);
    // Identified before and after: in between, the pid could have passed to another process.
    const before = identify(pid);
    if (before === undefined || !argumentsOf(pid).slice(1).includes(argument)) continue;
    if (identify(pid)?.startTicks === before.startTicks) return before;
  }
  return undefined;
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
