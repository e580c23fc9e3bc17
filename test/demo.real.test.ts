import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoProcess } from './driver/demo-process.ts';
import { temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { qemusOf } from './driver/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

test('Ctrl-C in the midst of it leaves nothing behind', async () => {
  const file = join(folder, 'demo.json');
  const demo = new DemoProcess(['--json', file], folder);
  const place = await demo.place();
  await demo.stdoutHas(/^ +\d\.\d s {2}[#o+-]+/m);
  expect(qemusOf(place)).not.toEqual([]);
  demo.signal('SIGINT');
  expect(await demo.finished).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('interrupted') });
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test('Ctrl-C while the fleet starts leaves nothing behind', async () => {
  const demo = new DemoProcess([], folder);
  const place = await demo.place();
  demo.signal('SIGINT');
  expect(await demo.finished).toMatchObject({ exitCode: 130 });
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test('a fleet that dies is told, and what it left running is ended', async () => {
  const demo = new DemoProcess([], folder);
  const place = await demo.place();
  await demo.stdoutHas(/^ +\d\.\d s {2}[#o+-]+/m);
  await demo.killFleet(place);
  expect(await demo.finished).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('shoal up has ended') });
  expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
  expect(readdirSync(folder)).toEqual([]);
});

test('a fleet that cannot start is told with its reason', async () => {
  const demo = new DemoProcess([], folder, { SHOAL_RUNTIME_DIR: `/${'x'.repeat(120)}` });
  const { exitCode, stderr } = await demo.finished;
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^demo: shoal up has ended by itself.*\[PATH_TOO_LONG\]\n$/s);
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  [['--nope'], /--nope/],
  [['--json', '/nowhere/at/all.json'], /\/nowhere\/at/],
])('%j is refused before anything is started', async (args, message) => {
  const demo = new DemoProcess(args, folder);
  expect(await demo.finished).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(message) });
  expect(existsSync('/nowhere')).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
