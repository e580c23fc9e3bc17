/** Writes the Linux guest into a folder: `bin/node test/linux-guest/write.ts FOLDER`. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { SHIPPED_PROFILES } from '../../src/hypervisor/mod.ts';
import { writeLinuxGuest } from './linux-guest.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected a folder: bin/node test/linux-guest/write.ts FOLDER');
mkdirSync(folder, { recursive: true });
writeLinuxGuest(resolve(folder), { ...SHIPPED_PROFILES['linux'] });
