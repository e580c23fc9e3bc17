import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadService } from '../../service/kit/mod.ts';
import { newService } from './new-service.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-new-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a new service in TypeScript is one, and its manifest names this Shoal', async () => {
  const { files, next } = await newService(join(folder, 'hello'), 'ts');
  expect(files.map((file) => file.replace(`${folder}/`, ''))).toEqual([
    ...['hello/hello.ts', 'hello/hello.test.ts', 'hello/package.json', 'hello/tsconfig.json', 'hello/.gitignore'],
  ]);
  expect(next).toBe('shoal up --service hello.ts --watch');
  const service = await loadService(join(folder, 'hello/hello.ts'));
  expect(service).toMatchObject({
    operations: ['upper', 'initials'],
    idempotent: true,
    state: 'fresh',
    payload: 'text',
  });
  expect(await service.call('initials', 'ada lovelace')).toBe('AL');
});

test.each(['wasm', 'cpp'] as const)('a new service in %s has its files', async (language) => {
  const { files } = await newService(join(folder, 'deep/hello'), language);
  expect(files.length).toBeGreaterThan(2);
});

test('nothing is written over', async () => {
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full/notes.txt'), '');
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'empty'));
  await expect(newService(join(folder, 'full'), 'ts')).rejects.toMatchObject({
    code: 'SERVICE_EXISTS',
    message: expect.stringContaining('it has "notes.txt" in it. Choose another name'),
  });
  expect(readdirSync(join(folder, 'full'))).toEqual(['notes.txt']);
  await expect(newService(join(folder, 'file'), 'ts')).rejects.toMatchObject({ code: 'SERVICE_EXISTS' });
  expect((await newService(join(folder, 'empty'), 'cpp')).files).not.toEqual([]);
});

test.each(['Hello', '1st', 'a b', '-a', 'x'.repeat(65), 'shoal', 'node_modules'])('%s is no name', async (name) => {
  await expect(newService(join(folder, name), 'ts')).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  expect(readdirSync(folder)).toEqual([]);
});
