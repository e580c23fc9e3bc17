import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leastKernel } from '../kit/mod.ts';
import { parseProfile } from '../profile/parse-profile.ts';
import { differInCompanionOnly, inspectImage, specOfImage } from './image.ts';

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

  it('says by a note that it takes a virtio console', async () => {
    const note = Buffer.from('\x06\0\0\0\0\0\0\0\x01\0\0\0Shoal\0\0\0', 'latin1');
    const taking = Buffer.concat([elf(), note]);
    taking.writeBigUInt64LE(BigInt(24 + note.length), 96);
    const others = [Buffer.concat([elf(), note]), Buffer.from(taking), Buffer.from(taking)];
    others[1]?.write('Shoul', 144 + 12);
    others[2]?.writeUInt32LE(2, 144 + 8);
    for (const [bytes, expected] of [[taking, true], ...others.map((other) => [other, undefined] as const)] as const) {
      writeFileSync(path, bytes);
      const image = await inspectImage(path);
      expect([image.virtioConsole, specOfImage(image).virtioConsole]).toEqual([expected, expected]);
    }
    // It is a device of microvm.
    writeFileSync(path, taking);
    const q35 = parseProfile({ machine: 'q35', boot: 'pvh' }, 'here');
    expect(await inspectImage(path, q35)).not.toHaveProperty('virtioConsole');
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

/** A multiboot header at the beginning of a file of another kind. */
function multiboot(flags: number, file: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0x1badb002, 0);
  header.writeUInt32LE(flags, 4);
  header.writeUInt32LE((2 ** 32 - 0x1badb002 - flags) % 2 ** 32, 8);
  return Buffer.concat([file, header]);
}

describe('an image with a profile', () => {
  const pc = (more: object) => parseProfile({ machine: 'pc', ...more }, 'test');
  const wide = elf();
  const narrow = elf();
  narrow[4] = 1;

  it.each([
    ['multiboot', multiboot(3, narrow), undefined],
    ['multiboot', multiboot(0x10003), undefined],
    ['multiboot', multiboot(3, wide), /64 bits, and multiboot loads files of 32 bits/],
    ['multiboot', multiboot(3), /does not say where it is loaded/],
    ['multiboot', Buffer.alloc(9_000), /no multiboot header/],
    ['multiboot', leastKernel(), /boot "linux", and its profile says "multiboot"; `shoal image profile linux`/],
    ['linux', leastKernel(), undefined],
    ['linux', elf(), /not a Linux kernel.*boot "pvh"/],
    ['pvh', leastKernel(), /not an ELF file.*boot "linux"/],
    ['pvh', multiboot(0x10003), /boot "multiboot".*image profile includeos/],
  ])('for boot %s is checked for it', async (boot, bytes, why) => {
    writeFileSync(path, bytes);
    const result = await inspectImage(path, pc({ boot })).catch((error: unknown) => error);
    if (why === undefined) expect(result).toMatchObject({ path, bytes: bytes.length });
    else expect(result).toMatchObject({ code: 'IMAGE_INVALID', message: expect.stringMatching(why) });
  });

  it('and a chainloader needs both, and no blank in its path', async () => {
    const loader = join(folder, 'chain');
    const profile = pc({ boot: 'chainloader', chainloader: 'chain' });
    writeFileSync(path, elf());
    await expect(inspectImage(path, profile, loader)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringMatching(/The chainloader .*chain cannot be read: there is no such file/),
    });
    writeFileSync(loader, elf());
    await expect(inspectImage(path, profile, loader)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringMatching(/is not a chainloader that QEMU can boot: it has no multiboot header/),
    });
    writeFileSync(loader, multiboot(0x10003));
    expect(await inspectImage(path, profile, loader)).toMatchObject({ companion: { path: loader, bytes: 12 } });
    const blank = join(folder, 'my guest');
    writeFileSync(blank, elf());
    await expect(inspectImage(blank, profile, loader)).rejects.toMatchObject({
      message: expect.stringMatching(/path has a blank/),
    });
  });

  it('has an initial ramdisk that is one', async () => {
    const initrd = join(folder, 'initrd');
    writeFileSync(path, leastKernel());
    const profile = pc({ boot: 'linux', initrd: 'initrd' });
    writeFileSync(initrd, 'hello');
    await expect(inspectImage(path, profile, initrd)).rejects.toMatchObject({
      message: expect.stringMatching(/is not an initial ramdisk .*neither a cpio archive nor a compressed file/),
    });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(inspectImage(path, profile, join(folder, 'pipe'))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    writeFileSync(initrd, '070701');
    expect(await inspectImage(path, profile, initrd)).toMatchObject({ companion: { bytes: 6 } });
    truncateSync(initrd, 16 * 2 ** 20);
    await expect(inspectImage(path, profile, initrd)).rejects.toThrow(
      'it and its initial ramdisk have 16778240 bytes, more than the VM (`memoryMib` 16)',
    );
  });

  it('must fit into its memory', async () => {
    writeFileSync(path, Buffer.concat([leastKernel(), Buffer.alloc(2 * 1024 * 1024)]));
    await expect(inspectImage(path, pc({ boot: 'linux', memoryMib: 2 }))).rejects.toMatchObject({
      message: expect.stringMatching(/more than the VM \(`memoryMib` 2\)/),
    });
  });

  it('has the digest of its bytes on the machine of the built-in image, and else one of all that matters', async () => {
    writeFileSync(path, elf());
    const initrd = join(folder, 'initrd');
    const other = join(folder, 'other');
    writeFileSync(initrd, '070701');
    writeFileSync(other, '070701');
    const plain = await inspectImage(path);
    expect(plain.digest).toBe(plain.fileDigest);
    expect(await inspectImage(path, parseProfile({}, 'test'))).toMatchObject({ digest: plain.digest });
    const digestOf = async (profile: object, companion?: string): Promise<string> => {
      return (await inspectImage(path, parseProfile({ boot: 'pvh', ...profile }, 'test'), companion)).digest;
    };
    // As Shoal 0.1 made it: the copies in its data directories have that name.
    const rest =
      '{"machine":"microvm","boot":"pvh","commandLine":"a","memoryMib":17,"networkDevice":"virtio-net-device","network":"user",' +
      '"protocol":"frames","console":{"format":"shoal"},"payload":"bytes","powerOff":{"by":"isa-debug-exit","code":67,"ask":"console"},' +
      '"bootTimeoutMs":10000,"accelerators":["kvm","tcg"]}';
    const old = createHash('sha256').update([plain.fileDigest, '', rest].join('\n'));
    expect(await digestOf({ commandLine: 'a', memoryMib: 17, payload: 'bytes' })).toBe(old.digest('hex'));
    // What a VM needs at least changes no VM, and older Shoals did not know it.
    expect(await digestOf({ memoryMinMib: 8 })).toBe(plain.digest);
    expect(await digestOf({ memoryMib: 17, memoryMinMib: 8 })).toBe(await digestOf({ memoryMib: 17 }));
    const withInitrd = await digestOf({ initrd: 'initrd' }, initrd);
    expect(await digestOf({ initrd: 'other' }, other)).toBe(withInitrd);
    writeFileSync(other, '070701 ');
    const all = [
      plain.digest,
      withInitrd,
      await digestOf({ initrd: 'other' }, other),
      await digestOf({ memoryMib: 17 }),
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('may differ from another one in nothing but the file that each boots with', async () => {
    writeFileSync(path, elf());
    const initrd = join(folder, 'initrd');
    const make = async (content: string, memoryMib = 16) => {
      writeFileSync(initrd, content);
      return inspectImage(path, parseProfile({ boot: 'pvh', initrd: 'initrd', memoryMib }, 'test'), initrd);
    };
    const first = await make('070701');
    expect(differInCompanionOnly(first, await make('070701 '))).toBe(true);
    expect(differInCompanionOnly(first, await make('070701 ', 17))).toBe(false);
    expect(differInCompanionOnly(first, await inspectImage(path))).toBe(false);
    writeFileSync(path, Buffer.concat([elf(), Buffer.alloc(1)]));
    expect(differInCompanionOnly(first, await make('070701'))).toBe(false);
  });
});
