import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from './mod.ts';

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('makes what is missing, for this user alone, and leaves what is there', () => {
  const folder = temporary();
  const deep = join(folder, 'a', 'b', 'c');
  makeFolder(deep);
  makeFolder(deep);
  for (const path of [deep, join(folder, 'a')]) expect(statSync(path).mode & 0o777).toBe(0o700);
  symlinkSync(deep, join(folder, 'link'));
  makeFolder(join(folder, 'link'));
});

test.each([
  ['what is a file', (folder: string) => join(folder, 'file'), 'EEXIST'],
  ['what is below a file', (folder: string) => join(folder, 'file', 'a'), 'ENOTDIR'],
  ['what the system cannot make', () => '/proc/shoal/a/b', 'ENOENT'],
])('%s is refused', (_what, pathIn, code) => {
  const folder = temporary();
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(pathIn(folder))).toThrow(expect.objectContaining({ code }));
});
