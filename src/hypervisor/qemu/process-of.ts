import { readFileSync } from 'node:fs';
import { bootId, findByArgument, isAlive, type ProcessIdentity, whileThere } from '../../process/mod.ts';
import type { Manifest } from '../port.ts';

/**
 * The process that a manifest names, proven by start time and command line; undefined if it is gone or never was.
 * @throws if /proc cannot be read: only a process that is not there is gone
 */
export function processOf({ bootId: madeIn, process, uuid }: Manifest): ProcessIdentity | undefined {
  if (madeIn !== bootId()) return undefined;
  if (process === undefined) return findByArgument(uuid);
  // Another process could have the same pid and start tick within one hundredth of a second; the uuid rules that out.
  return isAlive(process) && hasArgument(process.pid, uuid) ? process : undefined;
}

function hasArgument(pid: number, argument: string): boolean {
  const text = whileThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return text?.split('\0').includes(argument) ?? false;
}
