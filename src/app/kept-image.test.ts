import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Found, loadImage } from '../hypervisor/mod.ts';
import { DataDir } from './data-dir.ts';
import { keepImage, keepSent, removeOldImages, removeUnfinishedCopies, takePart } from './kept-image.ts';

let data: DataDir;
let folder: string;
beforeEach(async () => {
  const path = mkdtempSync(join(tmpdir(), 'shoal-images-'));
  data = await DataDir.open(path);
  onTestFinished(() => {
    data.close();
    rmSync(path, { recursive: true });
  });
  folder = join(data.path, 'images');
  mkdirSync(folder);
  for (const name of ['old.elf', 'run.elf', 'new.elf', '5.tmp']) writeFileSync(join(folder, name), '');
});

// Nothing else of the manifest is looked at.
const running = { kind: 'running', manifest: { spec: { imageDigest: 'run' } } } as Found;

test('images that no VM runs are removed, and parts of one; a copy that is being made is not', () => {
  writeFileSync(join(folder, 'new.image.part'), '');
  removeOldImages(data, ['new'], [running]);
  expect(readdirSync(folder).sort()).toEqual(['5.tmp', 'new.elf', 'run.elf']);
});

test('a start removes what a crash left of a copy', () => {
  removeUnfinishedCopies(data);
  expect(readdirSync(folder).sort()).toEqual(['new.elf', 'old.elf', 'run.elf']);
});

test('no image is removed while a VM cannot be identified', () => {
  removeOldImages(data, ['new'], [running, { kind: 'unknown', directory: '/run/7', vm: 7, why: 'it does not answer' }]);
  expect(readdirSync(folder)).toHaveLength(4);
});

/** The least Linux kernel that passes for one. */
function kernel(): Buffer {
  const file = Buffer.alloc(1_024);
  file.writeUInt16LE(0xaa55, 0x1fe);
  file.write('HdrS', 0x202, 'latin1');
  return file;
}

test('the copy of an image is an image with its profile and its ramdisk, and goes with both', async () => {
  const source = join(data.path, 'source');
  mkdirSync(source);
  const image = join(source, 'vmlinuz');
  writeFileSync(image, kernel());
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
  removeOldImages(data, [digest], [running]);
  expect(readdirSync(folder).sort()).toEqual(
    [...['boot', 'elf', 'shoal.json'].map((e) => `${digest}.${e}`), 'run.elf'].sort(),
  );
  removeOldImages(data, ['new'], [running]);
  expect(readdirSync(folder).sort()).toEqual(['run.elf']);
});

test('an image that is copied and sent several times at once is kept each time', async () => {
  const image = join(data.path, 'guest.elf');
  writeFileSync(image, Buffer.concat([kernel(), Buffer.alloc(4 * 1024 * 1024)]));
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

test('an image that is sent to a full disk leaves no part there', async () => {
  symlinkSync('/dev/full', join(folder, 'sent.image.part'));
  writeFileSync(join(folder, 'sent.boot.part'), 'the ramdisk');
  const part = { digest: 'sent', file: 'image', bytes: 9, at: 0, part: Buffer.from('the image') } as const;
  await expect(takePart(data, part)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});
