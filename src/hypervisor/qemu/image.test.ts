import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectImage } from './image.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-'));
  path = join(folder, 'guest.elf');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The least that QEMU takes for a PVH image: an ELF header, one segment of notes, one note. */
function elf(options: { machine?: number; note?: string; type?: number } = {}): Buffer {
  const { machine = 62, note = 'Xen\0', type = 18 } = options;
  const file = Buffer.alloc(64 + 56 + 24);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = 2;
  file[5] = 1;
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(4, 64);
  file.writeBigUInt64LE(120n, 72);
  file.writeBigUInt64LE(24n, 96);
  file.writeUInt32LE(4, 120);
  file.writeUInt32LE(8, 124);
  file.writeUInt32LE(type, 128);
  file.write(note, 132, 'latin1');
  return file;
}

describe('a guest image', () => {
  it('is told by its digest', async () => {
    writeFileSync(path, elf());
    const info = await inspectImage(path);
    expect(info).toMatchObject({ path, bytes: 144, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('that is not there is IMAGE_MISSING, with its path', async () => {
    await expect(inspectImage(path)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringContaining(path),
    });
  });

  it.each([
    ['is empty', Buffer.alloc(0), 'not an ELF file'],
    ['is a script', Buffer.from('#!/bin/sh\n'.repeat(20)), 'not an ELF file'],
    ['is made for another processor', elf({ machine: 183 }), 'machine 183'],
    ['has no Xen note', elf({ note: 'GNU\0' }), 'PVH'],
    ['has another Xen note', elf({ type: 1 }), 'PVH'],
  ])('that %s is IMAGE_INVALID, with the reason', async (_name, bytes, why) => {
    writeFileSync(path, bytes);
    await expect(inspectImage(path)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining(why),
    });
  });

  it('that is a directory is IMAGE_INVALID', async () => {
    await expect(inspectImage(folder)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  it('that is a pipe nobody writes to is IMAGE_INVALID, and is not waited for', async () => {
    execFileSync('mkfifo', [path]);
    await expect(inspectImage(path)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining('not a regular file'),
    });
  });

  it('that is damaged is either still an image or IMAGE_INVALID', async () => {
    const damage = fc.array(fc.tuple(fc.nat({ max: 143 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = elf();
        for (const [at, value] of changes) bytes[at] = value;
        writeFileSync(path, bytes);
        const result = await inspectImage(path).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toMatchObject({ code: 'IMAGE_INVALID' });
      }),
    );
  });
});
