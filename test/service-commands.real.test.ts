/** `shoal service build` and `test`, and what a command that builds a service leaves behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { shoal } from './driver/shoal-process.ts';

let folder: string;
/** The folder of temporary files of the commands. */
let temporary: string;
beforeEach(() => {
  folder = temporaryFolder();
  temporary = join(folder, 'temporary');
  mkdirSync(temporary);
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => shoal(args, { cwd: folder, env: { TMPDIR: temporary } });

function write(name: string, text: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
}

test('a build writes image, service and profile beside each other, and says what its author should know', async () => {
  write(
    'in/hello.ts',
    "export const payload = 'bytes';\nexport const idempotnet = true;\nexport default { same: (bytes: Uint8Array) => bytes };\n",
  );
  const built = await run('service', 'build', 'in/hello.ts', '--output', 'out/hello.elf');
  const [image, profile] = [join(folder, 'out/hello.elf'), join(folder, 'out/hello.shoal.json')];
  expect(built).toMatchObject({
    exitCode: 0,
    stdout: `${image}\n${profile}\n`,
    stderr: expect.stringContaining('hello.ts:2: the export `idempotnet` (boolean true) means nothing'),
  });
  expect(readdirSync(join(folder, 'out')).toSorted()).toEqual(['hello.elf', 'hello.service', 'hello.shoal.json']);
  const machine = { boot: 'pvh', initrd: 'hello.service', memoryMib: 32, memoryMinMib: 16, payload: 'bytes' };
  expect(JSON.parse(readFileSync(profile, 'utf8'))).toEqual(machine);
});

test('a service that needs a larger VM gets one by its profile, and answers in it', async () => {
  write(
    'large.js',
    'const keep = new Uint8Array(12 * 2 ** 20).fill(1);\nexport default { size: (text) => text + keep.length };\n',
  );
  const built = await run('service', 'build', 'large.js');
  expect(built).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/So a VM of it has 64 MiB\n/) });
  const profile: unknown = JSON.parse(readFileSync(join(folder, 'large.shoal.json'), 'utf8'));
  expect(profile).toMatchObject({ memoryMib: 64, memoryMinMib: 64 });
  expect(await run('image', 'check', 'large.elf')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^ok +ready /m),
  });
});

test('a service is asked without a VM: the first operation, or the one that is named', async () => {
  write(
    'hello.ts',
    "export default { upper: (text: string) => text.toUpperCase(), refuse: () => { throw { status: 409, message: 'taken' }; } };\n",
  );
  expect(await run('service', 'test', 'hello.ts', '--text', 'hä')).toMatchObject({ exitCode: 0, stdout: 'HÄ\n' });
  expect(await run('service', 'test', 'hello.ts', '--op', 'refuse')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: 'shoal: the service answers 409: taken\n',
  });
  // Bytes as they are, with nothing behind them.
  write('bytes.ts', "export const payload = 'bytes';\nexport default { same: (bytes: Uint8Array) => bytes };\n");
  expect(await run('service', 'test', 'bytes.ts', '--text', 'hä')).toMatchObject({ exitCode: 0, stdout: 'hä' });
});

test('a new service in C++ is built as it was begun, and its VM answers', async () => {
  expect(await run('service', 'new', 'hello', '--lang', 'cpp')).toMatchObject({ exitCode: 0 });
  const built = await run('service', 'build', 'hello/hello.cpp', '--output', 'hello.elf');
  expect(built).toMatchObject({ exitCode: 0, stdout: `${join(folder, 'hello.elf')}\n` });
  await using fleet = await TestFleet.start({ flags: ['--image', join(folder, 'hello.elf')] });
  expect(await fleet.run('send', ['World'])).toMatchObject({ exitCode: 0, stdout: 'Hello, World!\n' });
});

test('the test beside a service runs in its folder, whatever it is written in, and its end is that of the command', async () => {
  write('in/hello.ts', 'export default { upper: (text: string) => text.toUpperCase() };\n');
  const testOf = (wanted: string): string => `import { test } from 'node:test';
    import { equal } from 'node:assert/strict';
    import { loadService } from 'shoal/service/testing';
    const service = await loadService('hello.ts');
    test('upper', async () => equal(await service.call('upper', 'a'), '${wanted}'));\n`;
  write('in/hello.test.mjs', testOf('A'));
  expect(await run('service', 'test', 'in/hello.ts')).toMatchObject({ exitCode: 0 });
  write('in/hello.test.mjs', testOf('B'));
  expect(await run('service', 'test', 'in/hello.ts')).toMatchObject({ exitCode: 1 });
});

test('a check of a service builds it, and leaves nothing behind', async () => {
  write('hello.ts', 'export default { upper: (text: string) => text.toUpperCase() };\n');
  const checked = await run('image', 'check', 'hello.ts');
  expect(checked).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ok +request /m) });
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(join(folder, 'hello.elf'))).toBe(false);
});
