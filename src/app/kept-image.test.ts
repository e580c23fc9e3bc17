import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { leastKernel } from '../hypervisor/kit/mod.ts';
import { loadImage } from '../hypervisor/mod.ts';
import type { DataDir } from './data-dir.ts';
import {
  deployedImage,
  hasImage,
  keepImage,
  keepSent,
  removeOldImages,
  removeUnfinishedCopies,
  takePart,
} from './kept-image.ts';
import { temporaryData } from './testing/temporary-data.ts';

let data: DataDir;
let folder: string;
beforeEach(async () => {
  data = await temporaryData();
  folder = join(data.path, 'images');
  mkdirSync(folder);
  for (const name of ['old.elf', 'run.elf', 'new.elf', '5.tmp']) writeFileSync(join(folder, name), '');
});

test('images that no VM runs are removed, and parts of one; a copy that is being made is not', () => {
  writeFileSync(join(folder, 'new.image.part'), '');
  removeOldImages(data, ['new'], ['run']);
  expect(readdirSync(folder).sort()).toEqual(['5.tmp', 'new.elf', 'run.elf']);
});

test('a start removes what a crash left of a copy', () => {
  removeUnfinishedCopies(data);
  expect(readdirSync(folder).sort()).toEqual(['new.elf', 'old.elf', 'run.elf']);
});

test('no image is removed while it is not known what VMs run', () => {
  removeOldImages(data, ['new'], undefined);
  expect(readdirSync(folder)).toHaveLength(4);
});

test('the copy of an image is an image with its profile and its ramdisk, and goes with both', async () => {
  const source = join(data.path, 'source');
  mkdirSync(source);
  const image = join(source, 'vmlinuz');
  writeFileSync(image, leastKernel());
  writeFileSync(join(source, 'initrd'), '070701');
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux', initrd: 'initrd' }));
  const loaded = await loadImage(image);
  const kept = await keepImage(data, loaded);
  const { digest } = loaded;
  expect(kept).toMatchObject({
    path: join(folder, `${digest}.elf`),
    digest,
    companion: { path: join(folder, `${digest}.boot`), digest: loaded.companion?.digest },
  });
  rmSync(source, { recursive: true });
  expect(await loadImage(kept.path)).toMatchObject({ digest, profileFrom: join(folder, `${digest}.shoal.json`) });
  expect(await keepImage(data, kept)).toMatchObject({ path: kept.path });
  removeUnfinishedCopies(data);
  removeOldImages(data, [digest], ['run']);
  expect(readdirSync(folder).sort()).toEqual(
    [...['boot', 'elf', 'shoal.json'].map((e) => `${digest}.${e}`), 'run.elf'].sort(),
  );
  removeOldImages(data, ['new'], ['run']);
  expect(readdirSync(folder).sort()).toEqual(['run.elf']);
});

test('an image that is copied and sent several times at once is kept each time', async () => {
  const image = join(data.path, 'guest.elf');
  writeFileSync(image, Buffer.concat([leastKernel(), Buffer.alloc(4 * 1024 * 1024)]));
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux' }));
  const loaded = await loadImage(image);
  const { digest, profile } = loaded;
  const bytes = readFileSync(image);
  const send = async (): Promise<void> => {
    await takePart(data, { digest, file: 'image', bytes: bytes.length, at: 0, part: bytes });
    await keepSent(data, digest, profile, false);
  };
  await Promise.all([...[1, 2, 3].map(() => keepImage(data, loaded)), send(), send(), send()]);
  expect(await loadImage(join(folder, `${digest}.elf`))).toMatchObject({ digest });
  expect(readdirSync(folder).filter((name) => name.startsWith(digest))).toHaveLength(2);
});

/** An image with a profile and a ramdisk. */
async function linuxImage(): ReturnType<typeof loadImage> {
  const image = join(data.path, 'vmlinuz');
  writeFileSync(image, leastKernel());
  writeFileSync(join(data.path, 'initrd'), '070701');
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux', initrd: 'initrd' }));
  return loadImage(image);
}

test('a copy that has lost its profile is made anew', async () => {
  const loaded = await linuxImage();
  const kept = await keepImage(data, loaded);
  rmSync(join(folder, `${loaded.digest}.shoal.json`));
  await keepImage(data, loaded);
  expect(await loadImage(kept.path)).toMatchObject({ digest: loaded.digest });
});

test('a copy is on the disk before it is said to be there, because a deploy of it will be', async () => {
  const synced = new Set<number>();
  const some = await open(folder);
  // What is given to the disk is seen, and done.
  const handles: FileHandle = Object.getPrototypeOf(some);
  await some.close();
  const { sync } = handles;
  const spy = vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    synced.add((await this.stat()).ino);
    await sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  const { path, companion } = await keepImage(data, await linuxImage());
  for (const one of [path, companion?.path ?? '', folder]) expect(synced, one).toContain(statSync(one).ino);
});

test('nothing is left of a copy that could not be made', async () => {
  const image = join(data.path, 'guest');
  writeFileSync(image, leastKernel());
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux' }));
  const loaded = await loadImage(image);
  const before = readdirSync(folder).sort();
  writeFileSync(image, 'no image any more');
  await expect(keepImage(data, loaded)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  expect(readdirSync(folder).sort()).toEqual(before);
});

test('a copy that was damaged is none', async () => {
  const image = join(data.path, 'guest');
  writeFileSync(image, leastKernel());
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux' }));
  const { path, digest } = await keepImage(data, await loadImage(image));
  expect(await hasImage(data, digest)).toBe(true);
  expect(await deployedImage(data, digest)).toMatchObject({ path, digest });
  writeFileSync(path, Buffer.concat([leastKernel(), Buffer.alloc(1)]));
  expect(await hasImage(data, digest)).toBe(false);
  await expect(deployedImage(data, digest)).rejects.toMatchObject({ code: 'IMAGE_MISSING', details: { path } });
});

test('an image is sent in parts, with what it boots with; what is not all there, or another one, is not kept', async () => {
  const source = join(data.path, 'source');
  mkdirSync(source);
  const path = join(source, 'vmlinuz');
  writeFileSync(path, leastKernel());
  writeFileSync(join(source, 'initrd'), '070701');
  writeFileSync(`${path}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux', initrd: 'initrd' }));
  const { digest, profile } = await loadImage(path);
  const parts = () => readdirSync(folder).filter((name) => name.endsWith('.part'));
  const send = async (file: 'image' | 'boot', content: Uint8Array): Promise<void> => {
    const half = Math.ceil(content.length / 2);
    for (const at of [0, half]) {
      const part = content.subarray(at, at === 0 ? half : content.length);
      await takePart(data, { digest, file, bytes: content.length, at, part });
    }
  };
  await expect(keepSent(data, digest, profile, true)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  // Longer than the one that follows: somebody gave it up.
  await send('image', Buffer.concat([leastKernel(), Buffer.alloc(100)]));
  await send('boot', Buffer.from('07070'));
  await expect(keepSent(data, digest, profile, true)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  expect(parts()).toEqual([]);
  await send('image', Buffer.concat([leastKernel(), Buffer.alloc(100)]));
  await send('image', leastKernel());
  await send('boot', Buffer.from('070701'));
  await keepSent(data, digest, profile, true);
  expect([await hasImage(data, digest), parts()]).toEqual([true, []]);
});

test('an image that is sent to a full disk leaves no part there', async () => {
  symlinkSync('/dev/full', join(folder, 'sent.image.part'));
  writeFileSync(join(folder, 'sent.boot.part'), 'the ramdisk');
  const part = { digest: 'sent', file: 'image', bytes: 9, at: 0, part: Buffer.from('the image') } as const;
  await expect(takePart(data, part)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});
