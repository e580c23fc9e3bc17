import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One entry of an archive: a folder, a symbolic link, the copy of a file or a file with a text. */
export type Entry =
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'copy'; readonly of: string; readonly executable: boolean }
  | { readonly kind: 'text'; readonly text: string; readonly executable: boolean };

const TYPES = { folder: 0o040755, link: 0o120777, file: 0o100644, program: 0o100755 };
const END = 'TRAILER!!!';
const ALIGNMENT = 4;

/**
 * Writes an initramfs archive in the "newc" format (Linux: Documentation/driver-api/early-userspace/buffer-format). All entries belong to
 * root, and missing parent folders are added.
 *
 * @param entries by their path in the archive, without a slash in front
 */
export function writeCpio(path: string, entries: ReadonlyMap<string, Entry>): void {
  const output = openSync(path, 'w');
  try {
    let inode = 0;
    const write = (name: string, mode: number, content: Uint8Array): void => {
      inode += 1;
      const header = headerOf(name, mode, content.length, inode);
      for (const part of [padded(Buffer.from(`${header}${name}\0`)), padded(content)]) writeWhole(output, part);
    };
    for (const [name, entry] of withFolders(entries)) write(name, modeOf(entry), contentOf(entry));
    write(END, 0, Buffer.alloc(0));
  } finally {
    closeSync(output);
  }
}

/** Thirteen fields of eight hexadecimal digits, behind the magic number. */
function headerOf(name: string, mode: number, bytes: number, inode: number): string {
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, bytes, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  return `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
}

function withFolders(entries: ReadonlyMap<string, Entry>): Map<string, Entry> {
  const all = new Map<string, Entry>();
  for (const [name, entry] of entries) {
    const parts = name.split('/').slice(0, -1);
    for (const [index] of parts.entries()) {
      const folder = parts.slice(0, index + 1).join('/');
      if (!all.has(folder)) all.set(folder, { kind: 'folder' });
    }
    all.set(name, entry);
  }
  return all;
}

function modeOf(entry: Entry): number {
  if (entry.kind === 'folder' || entry.kind === 'link') return TYPES[entry.kind];
  return entry.executable ? TYPES.program : TYPES.file;
}

function contentOf(entry: Entry): Uint8Array {
  switch (entry.kind) {
    case 'folder':
      return Buffer.alloc(0);
    case 'link':
      return Buffer.from(entry.to);
    case 'copy':
      return readFileSync(entry.of);
    case 'text':
      return Buffer.from(entry.text);
  }
}

function padded(bytes: Uint8Array): Uint8Array {
  const missing = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
