import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../errors.ts';
import { checkProc, identify } from './identity.ts';
import type { ProcessIdentity } from './spawner.ts';
import { whileThere } from './while-there.ts';

/**
 * The running process that has exactly this as one of its arguments after the first, such as a file of its own; undefined if there is
 * certainly none. A wrapper has the arguments of the program that it started: then it is that program.
 * @throws whatever kept the processes from being looked at
 */
export function findByArgument(argument: string): ProcessIdentity | undefined {
  const found = [...processesWith((one) => one === argument)].map(({ process }) => process);
  if (found.length < 2) return found[0];
  const parents = new Set(found.map(({ pid }) => parentOf(pid)));
  return found.find(({ pid }) => !parents.has(pid)) ?? found[0];
}

/** Undefined if the process is gone. */
function parentOf(pid: number): number | undefined {
  const stat = whileThere(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/**
 * The running processes that have an argument after the first that `matches`, with that argument.
 * @throws whatever kept the processes from being looked at
 */
export function* processesWith(
  matches: (argument: string) => boolean,
): Generator<{ readonly argument: string; readonly process: ProcessIdentity }, undefined> {
  checkProc();
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const pid = Number(entry);
    const argument = argumentsOf(pid).slice(1).find(matches);
    if (argument === undefined) continue;
    const process = identify(pid);
    // The arguments are read again, because the pid could have passed to another process in between.
    if (process !== undefined && argumentsOf(pid).slice(1).includes(argument)) yield { argument, process };
  }
}

function argumentsOf(pid: number): string[] {
  const path = `/proc/${pid}`;
  try {
    return whileThere(() => readFileSync(`${path}/cmdline`, 'utf8'))?.split('\0') ?? [];
  } catch (error) {
    // With the mount option `hidepid` the kernel hides the processes of other users, and ours belong to this user.
    if (isDenied(error) && whileThere(() => lstatSync(path).uid) !== process.geteuid?.()) return [];
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EPERM';
}
