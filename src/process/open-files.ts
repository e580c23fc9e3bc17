import { readdirSync, readFileSync, statSync } from 'node:fs';
import { ShoalError } from '../errors.ts';
import { softLimit } from './soft-limit.ts';

/** The open files of a VM in this process: its link, its monitor and its console. */
const FILES_PER_VM = 3;
/** Open files that the rest may need at the same moment: NATS, the tables, starts and stops of VMs. */
const RESERVE = 32;

/** The limit of open files of this process (`ulimit -n`). */
export function openFilesMax(): number {
  return softLimit(readFileSync('/proc/self/limits', 'latin1'), 'Max open files') ?? Number.POSITIVE_INFINITY;
}

/** How many more VMs the limit allows. */
export function vmsWithinOpenFiles(): number {
  return Math.max(0, Math.floor((openFilesMax() - openFiles() - RESERVE) / FILES_PER_VM));
}

/**
 * Refuses to start one more VM when the limit is near: at the limit itself, running VMs would lose the files that they need.
 * @param starting VMs that have not opened their files yet
 * @throws OPEN_FILES_LIMIT
 */
export function checkOpenFiles(starting: number, open = openFiles(), max = openFilesMax()): void {
  if (open + RESERVE + (starting + 1) * FILES_PER_VM <= max) return;
  throw new ShoalError(
    'OPEN_FILES_LIMIT',
    `No VM can be started: ${open} of ${max} open files are in use, and a VM needs ${FILES_PER_VM}; raise the limit with \`ulimit -n\` and start Shoal again`,
    { details: { open, max } },
  );
}

/** For what failed at the limit itself (EMFILE). */
export function openFilesLimit(what: string, cause: unknown): ShoalError {
  const max = openFilesMax();
  const why = `all of ${max} open files are in use; raise the limit with \`ulimit -n\``;
  return new ShoalError('OPEN_FILES_LIMIT', `${what}: ${why}`, { cause, details: { max } });
}

/** Since Linux 6.2 the folder's size is their number, for a tenth of the time. To read the folder opens one file. */
function openFiles(): number {
  return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length - 1;
}
