import { readFile } from 'node:fs/promises';
import { saysGone } from '../../process/mod.ts';

/** Whether the command line of a process says that it is this machine. @throws whatever kept it from being read */
export async function hasUuid(pid: number, uuid: string): Promise<boolean> {
  const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: unknown) => {
    if (saysGone(error)) return '';
    throw error;
  });
  return argv.includes(`\0-uuid\0${uuid}\0`);
}
