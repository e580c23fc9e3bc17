import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { filesOfQemu, librariesIn, realProgram } from './program-files.ts';

test('libraries are found in folders of any name', () => {
  const listed = [
    '\tlinux-vdso.so.1 (0x00007ffc2a5f2000)',
    '\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f1c00000000)',
    '\tlibown.so => /opt/my qemu, grün/lib/libown.so (0x00007f1c10000000)',
    '\t/opt/my qemu, grün/lib/libby path.so (0x00007f1c18000000)',
    '\tlibgone.so.2 => not found',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f1c20000000)',
    '',
  ];
  expect(librariesIn(listed.join('\n'))).toEqual([
    '/lib/x86_64-linux-gnu/libz.so.1',
    '/opt/my qemu, grün/lib/libown.so',
    '/opt/my qemu, grün/lib/libby path.so',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});

test('a program is found by its name, too', () => {
  expect(realProgram('sh')).toBe(realpathSync('/bin/sh'));
  expect(() => realProgram('program-of-nobody')).toThrow('ENOENT');
});

test('a program that was replaced is looked at again, and so is one that could not be run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'qemu');
  const loader = join(folder, 'loader');
  writeFileSync(program, `#!${loader}\n`, { mode: 0o755 });
  await expect(filesOfQemu(program)).rejects.toThrow('ENOENT');
  copyFileSync(realpathSync('/bin/true'), loader);
  const before = await filesOfQemu(program);
  expect(before).toContain(program);
  // As long as nothing has changed it is looked at once: each start asks.
  expect(await filesOfQemu(program)).toBe(before);
  copyFileSync(realpathSync(process.execPath), program);
  expect((await filesOfQemu(program)).length).toBeGreaterThan(before.length);
});
