import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ShoalError, whyUnreadable } from '../../errors.ts';

export interface ImageInfo {
  readonly path: string;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
}

/** Nothing larger is a unikernel, and reading it would take too long. */
const IMAGE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Reads an image and checks that QEMU's microvm can boot it: an x86 ELF file with a PVH entry point.
 * @throws IMAGE_MISSING, IMAGE_INVALID
 */
export async function inspectImage(path: string): Promise<ImageInfo> {
  const file = await openImage(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw invalid(path, 'it is not a regular file');
    if (stat.size > IMAGE_BYTES_MAX)
      throw invalid(path, `it has ${stat.size} bytes, at most ${IMAGE_BYTES_MAX} are possible`);
    const why = await whyNotBootable(file, stat.size);
    if (why !== undefined) throw invalid(path, why);
    return { path, digest: await digestOf(file), bytes: stat.size };
  } finally {
    await file.close();
  }
}

async function openImage(path: string): Promise<FileHandle> {
  try {
    // A pipe without a writer would keep `open` waiting for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new ShoalError(
      'IMAGE_MISSING',
      `The guest image ${path} cannot be read: ${whyUnreadable(cause)}. "npm run image" builds the one of this project`,
      {
        cause,
        details: { path },
      },
    );
  }
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}

function invalid(path: string, why: string): ShoalError {
  return new ShoalError('IMAGE_INVALID', `${path} is not a guest image that QEMU can boot: ${why}`, {
    details: { path, why },
  });
}

// From the ELF and Xen specifications.
const HEADER_BYTES = 64;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const SEGMENT_NOTE = 4;
const NOTE_PHYS32_ENTRY = 18;
/** Bounds for files that only claim to be ELF. */
const SEGMENTS_MAX = 128;
const NOTES_BYTES_MAX = 64 * 1024;

async function whyNotBootable(file: FileHandle, size: number): Promise<string | undefined> {
  const header = await readAt(file, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46) return 'it is not an ELF file';
  if (header[5] !== LITTLE_ENDIAN) return 'it is a big-endian ELF file';
  const machine = header.readUInt16LE(18);
  if (machine !== MACHINE_386 && machine !== MACHINE_X86_64)
    return `it is made for ELF machine ${machine}, not for x86`;
  const wide = header[4] === CLASS_64;
  const offset = wide ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28);
  const entryBytes = header.readUInt16LE(wide ? 54 : 42);
  const count = Math.min(header.readUInt16LE(wide ? 56 : 44), SEGMENTS_MAX);
  if (offset > size || entryBytes < (wide ? 56 : 32)) return 'its program headers are damaged';
  const table = await readAt(file, offset, entryBytes * count);
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) !== SEGMENT_NOTE) continue;
    const from = wide ? Number(table.readBigUInt64LE(at + 8)) : table.readUInt32LE(at + 4);
    const bytes = wide ? Number(table.readBigUInt64LE(at + 32)) : table.readUInt32LE(at + 16);
    if (from < size && hasPvhEntry(await readAt(file, from, Math.min(bytes, NOTES_BYTES_MAX)))) return undefined;
  }
  return 'it has no PVH entry point (ELF note XEN_ELFNOTE_PHYS32_ENTRY)';
}

function hasPvhEntry(notes: Buffer): boolean {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameBytes = notes.readUInt32LE(at);
    const valueBytes = notes.readUInt32LE(at + 4);
    const name = notes.toString('latin1', at + 12, at + 12 + Math.min(nameBytes, 4));
    if (name === 'Xen\0' && notes.readUInt32LE(at + 8) === NOTE_PHYS32_ENTRY) return true;
    at += 12 + align4(nameBytes) + align4(valueBytes);
  }
  return false;
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
