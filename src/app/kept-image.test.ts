import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Found } from '../hypervisor/mod.ts';
import { DataDir } from './data-dir.ts';
import { removeOldImages } from './kept-image.ts';

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

test('images that no VM runs are removed, and what a crash left of a copy', () => {
  removeOldImages(data, ['new'], [running]);
  expect(readdirSync(folder).sort()).toEqual(['new.elf', 'run.elf']);
});

test('no image is removed while a VM cannot be identified', () => {
  removeOldImages(data, ['new'], [running, { kind: 'unknown', directory: '/run/7', vm: 7, why: 'it does not answer' }]);
  expect(readdirSync(folder)).toHaveLength(4);
});
