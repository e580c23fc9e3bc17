import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readState, removeState, type ServerState, writeState } from './state.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-state-'));
});
afterEach(() => rm(directory, { recursive: true }));

const state: ServerState = {
  name: 'shoal-1',
  port: 4222,
  config: 'nats-1.conf',
  process: { pid: 77, startTicks: 5, bootId: 'b' },
};

test('what was written is read again, with and without a process', async () => {
  expect(await readState(directory)).toBeUndefined();
  await writeState(directory, { ...state, process: undefined });
  expect(await readState(directory)).toEqual({ ...state, process: undefined });
  await writeState(directory, state);
  expect(await readState(directory)).toEqual(state);
  await removeState(directory);
  await removeState(directory);
  expect(await readState(directory)).toBeUndefined();
});

test('the server of a directory that was copied is the one of the original, that of a directory that was moved is its own', async () => {
  await writeState(directory, state);
  const [copy, moved] = [`${directory}-copy`, `${directory}-moved`];
  onTestFinished(() => rm(copy, { recursive: true }));
  await cp(directory, copy, { recursive: true });
  expect(await readState(copy)).toBeUndefined();
  await rename(directory, moved);
  expect(await readState(moved)).toEqual(state);
  await rename(moved, directory);
});

test('the server of a directory that was restored from a copy is its own while it runs', async () => {
  const config = join(directory, state.config);
  const server = spawn('sh', ['-c', 'echo up; read forever', 'nats-server', '-c', config], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  await writeState(directory, state);
  const restored = `${directory}-restored`;
  await cp(directory, restored, { recursive: true });
  expect(await readState(restored)).toBeUndefined();
  await rm(directory, { recursive: true });
  await rename(restored, directory);
  expect(await readState(directory)).toEqual(state);
});

test('a state that is a device is refused', async () => {
  await symlink('/dev/null', join(directory, 'server.json'));
  await expect(readState(directory)).rejects.toThrow(/is a device, and it must be a plain file/);
});

describe('a state that cannot be understood is an error that says what to do, and is kept', () => {
  test.each([
    '',
    '{"version":1,"name":"shoal-1"',
    '[]',
    JSON.stringify({ version: 2, ...state }),
    JSON.stringify({ version: 1, ...state, port: 0 }),
    JSON.stringify({ version: 1, ...state, config: '../../etc/nats.conf' }),
    JSON.stringify({ version: 1, ...state, process: { pid: 1, startTicks: 5, bootId: 'b' } }),
  ])('%s', async (text) => {
    const path = join(directory, 'server.json');
    await writeFile(path, text);
    await expect(readState(directory)).rejects.toMatchObject({
      code: 'NATS_SERVER_FAILED',
      message: expect.stringContaining(path),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});
