import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { closeInheritedFiles } from './inherited-files.ts';

test('a file that was inherited is closed, and none that is not named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inherited-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = openSync(join(folder, 'file'), 'w');
  const script = `
    const { closeInheritedFiles } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'inherited-files.ts')))});
    const { existsSync } = await import('node:fs');
    closeInheritedFiles();
    console.log([60, 61].map((fd) => existsSync('/proc/self/fd/' + fd)), process.env.SHOAL_INHERITED_FILES);`;
  const others = Array.from({ length: 57 }, () => 'ignore' as const);
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, SHOAL_INHERITED_FILES: ' 0 1 2 60 99' },
    stdio: ['ignore', 'pipe', 'inherit', ...others, file, file],
    encoding: 'utf8',
  });
  closeSync(file);
  expect(stdout).toBe('[ false, true ] undefined\n');
});

test('a file of our own stays open, whatever the variable says', () => {
  const own = openSync('/dev/null', 'r');
  const env = { SHOAL_INHERITED_FILES: `${own} -1 1e2 x 4294967296 /etc` };
  closeInheritedFiles(env);
  expect(fstatSync(own).isCharacterDevice()).toBe(true);
  closeSync(own);
  expect(env).toEqual({});
});
