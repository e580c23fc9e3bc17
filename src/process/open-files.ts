import { readdirSync, readFileSync } from 'node:fs';
import { ShoalError } from '../errors.ts';

/** What a VM takes in the process that watches it: its link, its monitor and its console. */
const FILES_PER_VM = 3;
/** What everything else may need at the same moment: NATS, the tables, starts and ends of VMs, consoles that are read. */
const RESERVE = 32;

/** How many files this process may have open (`ulimit -n`). */
export function openFilesMax(): number {
  const soft = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  // `unlimited`, or a kernel that does not say.
  return /^\d+$/.test(soft ?? '') ? Number(soft) : Number.POSITIVE_INFINITY;
}

/** How many VMs this process could still watch. */
export function vmsWithinOpenFiles(): number {
  return Math.max(0, Math.floor((openFilesMax() - openFiles() - RESERVE) / FILES_PER_VM));
}

/**
 * Refuses the start of one more VM before it meets the limit itself, which would take what the VMs that run need.
 * @param starting VMs that are on their way and have not opened their files yet
 * @throws OPEN_FILES_LIMIT
 */
export function checkOpenFiles(starting: number): void {
  const [open, max] = [openFiles(), openFilesMax()];
  if (open + RESERVE + (starting + 1) * FILES_PER_VM <= max) return;
  throw new ShoalError(
    'OPEN_FILES_LIMIT',
    `No VM can be started: ${open} of ${max} open files are in use, and a VM needs ${FILES_PER_VM}; raise the limit with \`ulimit -n\` and start Shoal again`,
    { details: { open, max } },
  );
}

/** The look itself opens one. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').length - 1;
}
