import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bounded, couldNotRun } from './bounded.ts';

function run(program: string, ...args: string[]): { readonly status: number | null; readonly stderr: string } {
  const { command, args: all } = bounded(program, args);
  const { status, stderr } = spawnSync(command, all, { encoding: 'utf8' });
  return { status, stderr };
}

test('a program that cannot be run is told from one that ends with the same exit code', () => {
  for (const missing of ['/nowhere/qemu', '/etc/passwd']) {
    const { status, stderr } = run(missing);
    expect(couldNotRun(status, stderr)).toBe(true);
  }
  const loader = run('/bin/sh', '-c', 'echo error while loading shared libraries >&2; exit 127');
  expect(couldNotRun(loader.status, loader.stderr)).toBe(false);
  expect(couldNotRun(1, 'exec: not found')).toBe(false);
});

test('a program runs with its arguments as they are, and cannot write more than a MiB to a file', () => {
  const { status, stderr } = run('/bin/sh', '-c', 'ulimit -f >&2; printf "%s|" "$@" >&2', 'sh', 'a b', '$HOME', "it's");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "2048\na b|$HOME|it's|" });
});

test('a program goes on when a file of its own is full', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bounded-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'console');
  const { status } = run('/bin/sh', '-c', 'head -c 2000000 /dev/zero >"$0" 2>/dev/null; exit $?', file);
  // As after any write that fails. A signal would be 128 and more.
  expect(status).toBe(1);
  expect(statSync(file).size).toBe(1024 * 1024);
});
