import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { signatureOf } from '../../file-signature.ts';
import { findProgram } from '../qemu/host-tools.ts';

const run = promisify(execFile);
const TRACE_TIMEOUT_MS = 10_000;

/** Where QEMU looks for firmware: beside itself, and where Debian has it. */
const FIRMWARE_FOLDERS = ['/usr/share/qemu', '/usr/share/seabios'];
/** What the machine microvm may start with, by how its image boots. */
const FIRMWARE = ['qboot.rom', 'bios-microvm.bin', 'pvh.bin', 'linuxboot_dma.bin', 'multiboot_dma.bin'];

const known = new Map<string, { readonly signature: string; readonly files: Promise<readonly string[]> }>();

/**
 * Where a program really is. QEMU finds its firmware from there, and in its mount namespace no link leads to it, such as /bin to /usr/bin.
 * @param program a path, or a name in PATH @throws if it is not there
 */
export function realProgram(program: string): string {
  return realpathSync(findProgram(program) ?? program);
}

/** Of the firmware that comes with a QEMU, what a machine may start with. @param program where it really is */
export function firmwareOfQemu(program: string): readonly string[] {
  const folders = [join(dirname(program), '../share/qemu'), ...FIRMWARE_FOLDERS];
  const files = [...new Set(folders)].flatMap((folder) => FIRMWARE.map((name) => join(folder, name)));
  return files.filter((path) => existsSync(path));
}

/**
 * What a QEMU reads of the file system to run at all: itself, its loader and its libraries. Looked up once, as long as the program does not
 * change.
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
  return [program, ...librariesIn(stdout)];
}

/** @param text what a loader lists: a name and where it was found, or a path alone; any path may hold blanks */
export function librariesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:\S.*? => )?(\/.*) \(0x[0-9a-f]+\)$/gm)].map(([, path = '']) => path);
}
