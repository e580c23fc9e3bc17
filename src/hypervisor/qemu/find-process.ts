import { readdir, readFile } from 'node:fs/promises';
import { identify, type ProcessIdentity } from '../../process/mod.ts';

/**
 * Looks for the QEMU with this uuid among all processes: for a manifest whose spawn was not confirmed. QEMU writes its pid file only some
 * milliseconds after its start, so that the file's absence alone proves nothing.
 */
export async function findByUuid(uuid: string): Promise<ProcessIdentity | undefined> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid)) continue;
    const identity = identify(pid);
    if (identity !== undefined && (await hasUuid(pid, uuid))) return identity;
  }
  return undefined;
}

/** Whether the command line of a process says that it is this machine. */
export async function hasUuid(pid: number, uuid: string): Promise<boolean> {
  const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return argv.includes(`\0-uuid\0${uuid}\0`);
}
