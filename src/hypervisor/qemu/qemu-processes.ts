import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../../errors.ts';
import { bootId, identify, isAlive, type ProcessIdentity } from '../../process/mod.ts';
import type { Manifest } from '../port.ts';

/**
 * Which processes are the QEMUs of VMs, proven by start time and command line. Everything here throws if /proc cannot be read: only a process
 * that is not there is gone.
 */

/** The process that a manifest speaks of; undefined if it is gone or never was. @throws if Shoal cannot tell */
export function processOf({ bootId: madeIn, process, uuid }: Manifest): ProcessIdentity | undefined {
  if (madeIn !== bootId()) return undefined;
  if (process === undefined) return findQemus((argument) => argument === uuid)[0]?.process;
  // The same pid and start tick could only be another process by an accident within a hundredth of a second; the uuid rules it out.
  return isAlive(process) && argumentsOf(process.pid)?.includes(uuid) === true ? process : undefined;
}

/** All processes that have an argument, after the program, that `matches`. @throws if Shoal cannot tell */
export function findQemus(
  matches: (argument: string) => boolean,
): readonly { readonly argument: string; readonly process: ProcessIdentity }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^[0-9]+$/.test(entry)) return [];
    const pid = Number(entry);
    const argument = visibleArgumentsOf(pid).find(matches);
    if (argument === undefined) return [];
    const process = identify(pid);
    // Read before and after: in between, the pid could have passed to another process.
    return process !== undefined && visibleArgumentsOf(pid).includes(argument) ? [{ argument, process }] : [];
  });
}

/** None if the system hides the arguments from this user: then it is a process of another user, and no QEMU of ours. */
function visibleArgumentsOf(pid: number): readonly string[] {
  try {
    return argumentsOf(pid)?.slice(1) ?? [];
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EACCES' || code === 'EPERM') return [];
    throw error;
  }
}

/** Undefined if there is no such process. */
function argumentsOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
