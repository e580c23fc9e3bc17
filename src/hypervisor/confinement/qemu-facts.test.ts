import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hasSandbox, obstacleOf } from './qemu-facts.ts';

/** A program that answers `-version`, in the place of a QEMU. */
function answering(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-qemu-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'qemu');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return program;
}

test('a build is known by whether it takes `-sandbox`', async () => {
  expect(await hasSandbox(answering('echo QEMU emulator version 7.2'))).toBe(true);
  const refuses = '[ "$1" = -version ] || { echo "-sandbox: invalid option" >&2; exit 1; }';
  expect(await hasSandbox(answering(`${refuses}\necho QEMU emulator version 7.2`))).toBe(false);
});

test.each([
  ['says nothing', 'exit 0', 'it prints ""'],
  ['is something else', 'echo mawk 1.3.4', 'it prints "mawk 1.3.4"'],
  ['fails', 'echo no such option >&2; exit 2', 'no such option'],
])('a program that %s is no QEMU, and is named', async (_, script, why) => {
  const program = answering(script);
  await expect(hasSandbox(program)).rejects.toMatchObject({
    code: 'CONFIG_VALUE',
    message: expect.stringMatching(`${program}.*${why}`),
  });
});

test.each([
  ['bwrap: Unknown option --as-pid-1', 'bubblewrap is too old', 'a newer bubblewrap'],
  ['bwrap: execvp /opt/small: No such file or directory', 'cannot be run', 'the program itself'],
  ['bwrap: Creating new namespace failed: Operation not permitted', 'no namespaces', 'CAP_SYS_ADMIN'],
])('what hinders is told by what bubblewrap says: %s', (said, why, remedy) => {
  expect(obstacleOf(said, 'own')).toEqual({
    why: expect.stringMatching(`${why}.*\\(${said}\\)`),
    remedy: expect.stringContaining(remedy),
  });
});
