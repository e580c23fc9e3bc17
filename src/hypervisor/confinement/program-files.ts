import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { signatureOf } from '../../file-signature.ts';

const run = promisify(execFile);
const TRACE_TIMEOUT_MS = 10_000;

/** Where QEMU looks for firmware: beside itself, and where Debian has it. */
const FIRMWARE_FOLDERS = ['/usr/share/qemu', '/usr/share/seabios'];
/** What the machine microvm may start with, by how its image boots. */
const FIRMWARE = ['qboot.rom', 'bios-microvm.bin', 'pvh.bin', 'linuxboot_dma.bin', 'multiboot_dma.bin'];

const known = new Map<string, { readonly signature: string; readonly files: Promise<readonly string[]> }>();

/**
 * Where a program really is. QEMU finds its firmware from there, and in its mount namespace no link leads to it, such as /bin to /usr/bin.
 * @throws if it is not there
 */
export function realProgram(path: string): string {
  return realpathSync(path);
}

/**
 * All that a QEMU reads of the file system to run a machine: itself, its loader, its libraries and its firmware. Looked up once, as long as
 * the program does not change.
 * @param program where it really is @throws if it cannot be run
 */
export function filesOfQemu(program: string): Promise<readonly string[]> {
  const signature = signatureOf(program);
  const before = known.get(program);
  if (before?.signature === signature) return before.files;
  const files = look(program);
  known.set(program, { signature, files });
  files.catch(() => known.delete(program));
  return files;
}

async function look(program: string): Promise<readonly string[]> {
  // The loader lists what it has found and starts nothing; ldd(1) does no more.
  const env = { LD_TRACE_LOADED_OBJECTS: '1' };
  const { stdout } = await run(program, [], { env, timeout: TRACE_TIMEOUT_MS });
  const folders = [join(dirname(program), '../share/qemu'), ...FIRMWARE_FOLDERS];
  const firmware = [...new Set(folders)].flatMap((folder) => FIRMWARE.map((name) => join(folder, name)));
  return [program, ...librariesIn(stdout), ...firmware.filter((path) => existsSync(path))];
}

/** @param text what a loader lists: a name and where it was found, or a path alone; any path may hold blanks */
export function librariesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:\S.*? => )?(\/.*) \(0x[0-9a-f]+\)$/gm)].map(([, path = '']) => path);
}
