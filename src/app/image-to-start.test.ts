import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { leastKernel } from '../hypervisor/kit/mod.ts';
import { loadImage } from '../hypervisor/mod.ts';
import { type ImageStore, openImageStore } from '../store/mod.ts';
import type { DataDir } from './data-dir.ts';
import { imageToStart } from './image-to-start.ts';
import { temporaryData } from './testing/temporary-data.ts';

const [KEPT, FRESH] = [false, true];

let data: DataDir;
let images: ImageStore;
let file: string;
beforeEach(async () => {
  data = await temporaryData();
  images = await openImageStore(join(data.path, 'image.json'));
  file = join(data.path, 'vmlinuz');
  writeFileSync(`${file}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux' }));
});

/** The least Linux kernel that passes for one. @param last its last byte */
function writeKernel(last: number): void {
  const kernel = leastKernel();
  kernel.writeUInt8(last, kernel.length - 1);
  writeFileSync(file, kernel);
}

/** That image is deployed, and kept. */
async function deployed(): Promise<string> {
  writeKernel(1);
  const { digest } = await imageToStart(data, images, KEPT, await loadImage(file));
  await images.save({ image: digest, before: null, deploy: null });
  return digest;
}

test('a new image that cannot be copied leaves the note of the deployed one', async () => {
  const digest = await deployed();
  writeKernel(2);
  const source = await loadImage(file);
  rmSync(file);
  await expect(imageToStart(data, images, FRESH, source)).rejects.toThrow('ENOENT');
  expect(await imageToStart(data, images, KEPT, undefined)).toMatchObject({ digest });
});

test('noted is what was copied, although the file has changed since it was looked at', async () => {
  await deployed();
  writeKernel(2);
  const source = await loadImage(file);
  writeKernel(3);
  const { digest } = await imageToStart(data, images, FRESH, source);
  expect(digest).not.toBe(source.digest);
  expect(images.last?.image).toBe(digest);
});

test('no image is started in the place of the deployed one whose copy was lost', async () => {
  const digest = await deployed();
  const source = await loadImage(file);
  rmSync(join(data.path, 'images', `${digest}.elf`));
  writeKernel(2);
  await expect(imageToStart(data, images, KEPT, source)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  writeKernel(1);
  expect(await imageToStart(data, images, KEPT, await loadImage(file))).toMatchObject({ digest });
});
