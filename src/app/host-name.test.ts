import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { openMemoryStore, type Store } from '../store/mod.ts';
import { settleHostName } from './host-name.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-host-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  directory = folder;
  store = await openMemoryStore({ clock: systemClock });
});

function settle(machine: string, wanted?: string, held = 0): Promise<string> {
  return settleHostName({ directory, store, wanted, machine, heldVms: () => Promise.resolve(held) });
}

const address = { id_ip: 1, ip: '127.0.0.1', port: 9000 };
const hosts = (): string[] => store.snapshot().ip_pool.map(({ host }) => host);

test('the first start takes the name of the machine, and a machine that is renamed changes nothing', async () => {
  expect(await settle('one', undefined, 3)).toBe('one');
  await store.addAddresses([{ ...address, host: 'one' }]);
  expect(await settle('two', undefined, 3)).toBe('one');
  expect(readFileSync(join(directory, 'host'), 'utf8')).toBe('one\n');
  expect(hosts()).toEqual(['one']);
});

test('tables without a name beside them keep the host that they have', async () => {
  await store.addAddresses([{ ...address, host: 'one' }]);
  expect(await settle('two', undefined, 3)).toBe('one');
});

test('another name is taken while no VM runs, and refused while one does', async () => {
  await settle('one');
  await store.addAddresses([{ ...address, host: 'one' }]);
  await expect(settle('one', 'two', 2)).rejects.toMatchObject({
    code: 'CONFIG_VALUE',
    message: expect.stringMatching(/cannot be named "two": 2 VMs run under its present name "one"/),
  });
  await expect(settle('one', 'two', 1)).rejects.toThrow(/: 1 VM runs under its present name/);
  expect(await settle('one', 'one', 2)).toBe('one');
  expect(await settle('one', 'two', 0)).toBe('two');
  expect(hosts()).toEqual(['two']);
  expect(await settle('one')).toBe('two');
});

test('a crash between the tables and the file leaves no second name behind', async () => {
  await settle('one');
  await store.addAddresses([{ ...address, host: 'two' }]);
  expect(await settle('one')).toBe('one');
  expect(hosts()).toEqual(['one']);
});

test.each(['', '-x', 'a b', 'a/b', 'x'.repeat(64), 'ö'])('the name %j is refused', async (name) => {
  await expect(settle('one', name)).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
});

test('a machine whose name cannot be one has a name all the same', async () => {
  expect(await settle('(none)')).toBe('host');
});

test('a file that holds no name is refused and named', async () => {
  writeFileSync(join(directory, 'host'), 'a b');
  await expect(settle('one')).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringContaining(join(directory, 'host')),
  });
});

test('a name in a device is refused, and not waited for', async () => {
  symlinkSync('/dev/null', join(directory, 'host'));
  await expect(settle('one')).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringContaining('host is a device, and it must be a plain file'),
  });
});
