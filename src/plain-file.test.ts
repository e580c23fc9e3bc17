import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPlainFile, readPlainFileSync, readSmallFile } from './plain-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-plain-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([
  ['readPlainFile', readPlainFile],
  ['readSmallFile', (path: string) => readSmallFile(path, 4)],
  ['readPlainFileSync', async (path: string) => readPlainFileSync(path)],
])('%s', (_, read) => {
  test('reads a file, and one behind a link', async () => {
    writeFileSync(join(folder, 'file'), 'text');
    symlinkSync(join(folder, 'file'), join(folder, 'link'));
    expect((await read(join(folder, 'file'))).toString()).toBe('text');
    expect((await read(join(folder, 'link'))).toString()).toBe('text');
  });

  test('refuses what is no plain file instead of waiting for it', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(read(join(folder, 'pipe'))).rejects.toThrow(/pipe is a pipe, and it must be a plain file/);
    await expect(read('/dev/zero')).rejects.toThrow(/is a device, and it must be a plain file/);
    await expect(read(folder)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(read(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('a small file may have just its limit, and a larger one is refused', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, '12345');
  expect((await readSmallFile(path, 5)).toString()).toBe('12345');
  await expect(readSmallFile(path, 4)).rejects.toThrow(/file has more than 4 bytes/);
  // Its size is said to be 0.
  await expect(readSmallFile('/proc/self/status', 4)).rejects.toThrow(/more than 4 bytes/);
});
