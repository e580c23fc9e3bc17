import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bootId } from '../../process/mod.ts';
import { imagesInUse } from './images-in-use.ts';

const TAG = 'fleet';

function manifestOf(vm: number, imageDigest: string): string {
  const spec = {
    ...{ vm, address: { id: 1, ip: '127.0.0.1', port: 9000 }, image: '/image', imageDigest },
    ...{ accelerator: 'tcg', memoryMib: 16, statusIntervalMs: 1_000, textBytesMax: 1_000 },
  };
  const uuid = '00000000-0000-4000-8000-000000000001';
  return JSON.stringify({ version: 1, spec, uuid, argvDigest: '', bootId: bootId(), preparedMs: 0 });
}

test('the images of VMs are told by their manifests, and by none of them while one cannot be read', async () => {
  const root = mkdtempSync(join(tmpdir(), 'images-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (vm: string, manifest: string): void => {
    mkdirSync(join(root, TAG, vm), { recursive: true });
    writeFileSync(join(root, TAG, vm, 'manifest.json'), manifest);
  };
  expect(await imagesInUse(TAG, root)).toEqual([]);
  write('1', manifestOf(1, 'one'));
  write('2', manifestOf(2, 'two'));
  // One that is only being made.
  mkdirSync(join(root, TAG, '3'));
  expect([...((await imagesInUse(TAG, root)) ?? [])].sort()).toEqual(['one', 'two']);
  write('4', '{');
  expect(await imagesInUse(TAG, root)).toBeUndefined();
});
