import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { FileLock } from './file-lock.ts';

let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, 'lock');
});

function taken(): FileLock {
  const lock = FileLock.tryTake(path);
  if (lock === undefined) throw new Error('nobody has it');
  return lock;
}

test('a lock is had once, and again once it is released', () => {
  const first = taken();
  expect(FileLock.tryTake(path)).toBeUndefined();
  first.release();
  taken().release();
});

test('who is refused keeps no file open', () => {
  const lock = taken();
  const openFiles = (): number => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  for (let times = 0; times < 5; times++) expect(FileLock.tryTake(path)).toBeUndefined();
  expect(openFiles()).toBe(before);
  lock.release();
});

test('the file says who has it, and nothing of who had it before', () => {
  const lock = taken();
  lock.note('a long text\n');
  lock.note('short\n');
  expect(readFileSync(path, 'utf8')).toBe('short\n');
  lock.release();
});

test('whether somebody has it can be asked without taking it from them', () => {
  expect(FileLock.isHeld(path)).toBe(false);
  const lock = taken();
  expect(FileLock.isHeld(path)).toBe(true);
  lock.release();
  expect(FileLock.isHeld(path)).toBe(false);
});
