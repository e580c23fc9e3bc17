import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILT_IN = fileURLToPath(new URL('../../includeos/build/shoal-guest.elf', import.meta.url));
const BUILD = fileURLToPath(new URL('../../includeos/build.sh', import.meta.url));

/** The built-in image with some bytes behind it, which nobody reads: another digest, the same guest. */
export function sameGuest(folder: string, name: string): string {
  const path = join(folder, `${name}.elf`);
  writeFileSync(path, Buffer.concat([readFileSync(BUILT_IN), Buffer.from(name)]));
  return path;
}

/** The built-in image with other instructions where it begins. */
export function withEntry(folder: string, name: string, code: readonly number[]): string {
  const bytes = readFileSync(BUILT_IN);
  bytes.set(code, entryOffset(bytes));
  const path = join(folder, `${name}.elf`);
  writeFileSync(path, bytes);
  return path;
}

/** An image whose service is this source. */
export async function imageOf(folder: string, name: string, source: string): Promise<string> {
  const service = join(folder, name);
  mkdirSync(service);
  writeFileSync(join(service, 'service.cpp'), source);
  const path = join(folder, `${name}.elf`);
  await promisify(execFile)('sh', [BUILD, '--service', service, '--image', path]);
  return path;
}

/** Where the 32-bit entry point of a PVH image stands in the file. */
function entryOffset(elf: Buffer): number {
  const isWide = elf[4] === 2;
  const table = isWide ? Number(elf.readBigUInt64LE(32)) : elf.readUInt32LE(28);
  const size = elf.readUInt16LE(isWide ? 54 : 42);
  const count = elf.readUInt16LE(isWide ? 56 : 44);
  const segments = Array.from({ length: count }, (_, n) => {
    const at = table + n * size;
    const word = (narrow: number, wide: number): number =>
      isWide ? Number(elf.readBigUInt64LE(at + wide)) : elf.readUInt32LE(at + narrow);
    return { type: elf.readUInt32LE(at), offset: word(4, 8), physical: word(12, 24), bytes: word(16, 32) };
  });
  const note = segments.find(({ type }) => type === 4);
  if (note === undefined) throw new Error('the image has a note');
  // Header of 12 bytes, `Xen` in 4, then the entry point.
  const entry = elf.readUInt32LE(note.offset + 16);
  const segment = segments.find(
    ({ type, physical, bytes }) => type === 1 && entry >= physical && entry < physical + bytes,
  );
  if (segment === undefined) throw new Error('the entry point is in a segment');
  return segment.offset + entry - segment.physical;
}
