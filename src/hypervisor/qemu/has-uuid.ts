import { readFile } from 'node:fs/promises';

/** Whether the command line of a process says that it is this machine. */
export async function hasUuid(pid: number, uuid: string): Promise<boolean> {
  const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return argv.includes(`\0-uuid\0${uuid}\0`);
}
