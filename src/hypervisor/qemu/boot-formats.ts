import type { FileHandle } from 'node:fs/promises';
import type { BootMethod } from '../profile/profile.ts';

/** A file that is open for reading, and its length. */
export interface OpenFile {
  readonly file: FileHandle;
  readonly size: number;
}

/** Why a machine cannot boot a file by this method; undefined if nothing speaks against it. */
export async function whyNotBootable(image: OpenFile, boot: BootMethod): Promise<string | undefined> {
  switch (boot) {
    case 'pvh':
      return whyNotPvh(image);
    case 'multiboot':
      return whyNotMultiboot(image);
    case 'chainloader':
      return (await elfHeader(image)) === undefined ? NO_ELF : undefined;
    case 'linux':
      return whyNotLinux(image);
  }
}

/** Why a file cannot be the chainloader or the initial ramdisk of an image. */
export async function whyNotCompanion(companion: OpenFile, boot: BootMethod): Promise<string | undefined> {
  if (boot === 'chainloader') return whyNotMultiboot(companion);
  if (boot !== 'linux') return companion.size === 0 ? 'it is empty' : undefined;
  const start = (await readAt(companion, 0, 6)).toString('latin1');
  if (RAMDISK_STARTS.some((known) => start.startsWith(known))) return undefined;
  return 'it is no initial ramdisk: neither a cpio archive nor a compressed file';
}

/** Which method a file looks made for; undefined if for none. */
export async function looksLike(image: OpenFile): Promise<BootMethod | undefined> {
  if ((await whyNotPvh(image)) === undefined) return 'pvh';
  if ((await whyNotLinux(image)) === undefined) return 'linux';
  return (await whyNotMultiboot(image)) === undefined ? 'multiboot' : undefined;
}

// From the ELF and Xen specifications.
const HEADER_BYTES = 64;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const SEGMENT_NOTE = 4;
const NOTE_PHYS32_ENTRY = 18;
/** Of notes whose owner is Shoal. */
const NOTE_VIRTIO_CONSOLE = 1;
/** Bounds for files that only claim to be ELF. */
const SEGMENTS_MAX = 128;
const NOTES_BYTES_MAX = 64 * 1024;

const NO_ELF = 'it is not an ELF file';

async function elfHeader(image: OpenFile): Promise<Buffer | undefined> {
  const header = await readAt(image, 0, HEADER_BYTES);
  return header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46 ? undefined : header;
}

async function whyNotPvh(image: OpenFile): Promise<string | undefined> {
  const notes = await notesOf(image);
  if (typeof notes === 'string') return notes;
  return notes.some((note) => hasNote(note, 'Xen', NOTE_PHYS32_ENTRY))
    ? undefined
    : 'it has no PVH entry point (ELF note XEN_ELFNOTE_PHYS32_ENTRY)';
}

/** Whether an image says that its guest takes a console of a virtio-serial device. */
export async function takesVirtioConsole(image: OpenFile): Promise<boolean> {
  const notes = await notesOf(image);
  return typeof notes !== 'string' && notes.some((note) => hasNote(note, 'Shoal', NOTE_VIRTIO_CONSOLE));
}

/** The segments of notes of an ELF file for x86; or why it is none. */
async function notesOf(image: OpenFile): Promise<readonly Buffer[] | string> {
  const header = await elfHeader(image);
  if (header === undefined) return NO_ELF;
  if (header[5] !== LITTLE_ENDIAN) return 'it is a big-endian ELF file';
  const machine = header.readUInt16LE(18);
  if (machine !== MACHINE_386 && machine !== MACHINE_X86_64)
    return `it is made for ELF machine ${machine}, not for x86`;
  const { size } = image;
  const wide = header[4] === CLASS_64;
  const offset = wide ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28);
  const entryBytes = header.readUInt16LE(wide ? 54 : 42);
  const count = Math.min(header.readUInt16LE(wide ? 56 : 44), SEGMENTS_MAX);
  if (offset > size || entryBytes < (wide ? 56 : 32)) return 'its program headers are damaged';
  const table = await readAt(image, offset, entryBytes * count);
  const notes: Buffer[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) !== SEGMENT_NOTE) continue;
    const from = wide ? Number(table.readBigUInt64LE(at + 8)) : table.readUInt32LE(at + 4);
    const bytes = wide ? Number(table.readBigUInt64LE(at + 32)) : table.readUInt32LE(at + 16);
    if (from < size) notes.push(await readAt(image, from, Math.min(bytes, NOTES_BYTES_MAX)));
  }
  return notes;
}

function hasNote(notes: Buffer, owner: string, type: number): boolean {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameBytes = notes.readUInt32LE(at);
    const valueBytes = notes.readUInt32LE(at + 4);
    const name = notes.toString('latin1', at + 12, at + 12 + Math.min(nameBytes, owner.length + 1));
    if (name === `${owner}\0` && notes.readUInt32LE(at + 8) === type) return true;
    at += 12 + align4(nameBytes) + align4(valueBytes);
  }
  return false;
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

// From the Multiboot specification, version 0.6.96: a header of three words whose sum is zero, in the first 8 KiB.
const MULTIBOOT_MAGIC = 0x1badb002;
const MULTIBOOT_BYTES = 8 * 1024;
/** The header itself says where the file is loaded. */
const MULTIBOOT_ADDRESSES = 1 << 16;

async function whyNotMultiboot(image: OpenFile): Promise<string | undefined> {
  const start = await readAt(image, 0, MULTIBOOT_BYTES);
  for (let at = 0; at + 12 <= start.length; at += 4) {
    if (start.readUInt32LE(at) !== MULTIBOOT_MAGIC) continue;
    const flags = start.readUInt32LE(at + 4);
    if ((MULTIBOOT_MAGIC + flags + start.readUInt32LE(at + 8)) % 2 ** 32 !== 0) continue;
    if ((flags & MULTIBOOT_ADDRESSES) !== 0) return undefined;
    const header = await elfHeader(image);
    if (header === undefined) return `${NO_ELF}, and its multiboot header does not say where it is loaded`;
    return header[4] === CLASS_64 ? 'it is an ELF file of 64 bits, and multiboot loads files of 32 bits' : undefined;
  }
  return 'it has no multiboot header in its first 8 KiB';
}

// From the Linux/x86 boot protocol.
async function whyNotLinux(image: OpenFile): Promise<string | undefined> {
  const start = await readAt(image, 0, 0x206);
  const isKernel = start.length === 0x206 && start.readUInt16LE(0x1fe) === 0xaa55;
  return isKernel && start.toString('latin1', 0x202) === 'HdrS' ? undefined : 'it is not a Linux kernel (bzImage)';
}

/** cpio (newc), gzip, bzip2, xz, LZMA, Zstandard, LZ4 and LZO, as the kernel tells them. */
const RAMDISK_STARTS = [
  '070701',
  '070702',
  '\x1f\x8b',
  'BZh',
  '\xfd7zXZ',
  '\x5d\x00\x00',
  '\x28\xb5\x2f\xfd',
  '\x02\x21\x4c\x18',
  '\x89LZO',
];

async function readAt({ file }: OpenFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
