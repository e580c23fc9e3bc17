import { delimiter, join } from 'node:path';
import { ShoalError } from '../../errors.ts';
import { isProgram } from '../../process/mod.ts';

const PROGRAM = 'nats-server';
/** Debian's package puts it here, and a user's PATH often lacks these. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of the nats-server program. @throws NATS_MISSING */
export function findNatsServer(path: string = process.env['PATH'] ?? ''): string {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...SBIN];
  const found = folders.map((folder) => join(folder, PROGRAM)).find(isProgram);
  if (found !== undefined) return found;
  throw new ShoalError(
    'NATS_MISSING',
    `The program ${PROGRAM} was not found on the PATH or in ${SBIN.join(', ')}. Install it (Debian: apt-get install ${PROGRAM}), or use a server that runs elsewhere: --nats nats://HOST:4222`,
  );
}
