import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataDir, findRunning } from './data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-data-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const RUNNING = { fleet: 'default', nats: 'nats://127.0.0.1:4222', startedMs: 1 };

test('a second one on the same directory is refused, naming the running one', async () => {
  const first = await DataDir.open(folder);
  await first.announce(RUNNING);
  await expect(DataDir.open(`${folder}/.`)).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`pid ${process.pid}`),
    details: { pid: process.pid, fleet: 'default' },
  });
  await first.close();
  const second = await DataDir.open(folder);
  await second.close();
});

test('what runs is found while it runs, and not after', async () => {
  const data = await DataDir.open(folder);
  expect(findRunning(folder)).toBeUndefined();
  await data.announce(RUNNING);
  expect(findRunning(folder)).toMatchObject({ ...RUNNING, process: { pid: process.pid } });
  await data.close();
  expect(findRunning(folder)).toBeUndefined();
});

test('a file left by a process that is gone, or damaged, says that nothing runs', () => {
  const file = join(folder, 'running.json');
  const gone = { version: 1, process: { pid: 1, startTicks: 0, bootId: 'another boot' }, ...RUNNING };
  for (const content of [JSON.stringify(gone), '{"version":1', '[]', 'null', '{"version":1,"process":null}']) {
    writeFileSync(file, content);
    expect(findRunning(folder)).toBeUndefined();
  }
});

test('a directory that cannot be made is refused with the reason and the remedy', async () => {
  writeFileSync(join(folder, 'file'), '');
  const directory = join(folder, 'file', 'data');
  await expect(DataDir.open(directory)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringMatching(/ENOTDIR.*--data/),
  });
});
