import { expect, test } from 'vitest';
import { librariesIn } from './program-files.ts';

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
