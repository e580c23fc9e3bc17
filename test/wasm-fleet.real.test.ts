/** A WebAssembly module as the service of a fleet: its mistakes end requests, and no VM. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';

const operation = (name: string, body: string): string =>
  `(func (export "shoal_op_${name}") (param $at i32) (param $size i32) (result i64) ${body})`;

const MODULE = `(module
  (import "shoal" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "no vowels")
  (func (export "shoal_idempotent"))
  (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))
  ${operation('echo', '(i64.or (i64.const 0x40000000000) (i64.extend_i32_u (local.get $size)))')}
  ${operation('refuse', '(call $fail (i32.const 400) (i32.const 0) (i32.const 9)) (i64.const 0)')}
  ${operation('trap', 'unreachable')}
  ${operation('loop', '(loop $l (br $l)) (i64.const 0)')})`;

/** Names of files in a folder of the test's own, in which the module stands. */
function moduleFiles(name: string, text: string): (end: string) => string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (end: string): string => join(folder, `${name}.${end}`);
  writeFileSync(file('wat'), text);
  execFileSync('wat2wasm', [file('wat'), '-o', file('wasm')]);
  return file;
}

test('a request that loops without end, traps or is refused ends alone, and its VM answers the next one', async () => {
  const file = moduleFiles('service', MODULE);
  execFileSync('sh', ['includeos/build.sh', '--service', file('wasm'), '--image', file('elf')]);

  await using fleet = await TestFleet.start({ flags: ['--image', file('elf')] });
  const send = async (name: string, ...flags: string[]) => fleet.run('send', ['--op', name, ...flags, 'grün']);
  expect(await send('echo')).toMatchObject({ exitCode: 0, stdout: 'grün\n' });
  expect(await send('loop', '--deadline', '300')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/DEADLINE/),
  });
  expect(await send('echo')).toMatchObject({ exitCode: 0, stdout: 'grün\n' });
  expect(await send('trap')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/the module trapped: unreachable/),
  });
  for (let i = 0; i < 4; i++) {
    expect(await send('refuse')).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/no vowels/) });
  }
  expect(await send('echo')).toMatchObject({ exitCode: 0, stdout: 'grün\n' });
  // Asked before and after, the fleet has the same VMs.
  const { vms } = await fleet.until('the fleet says what it has', () => true);
  expect(vms.map(({ id_vmachine }) => id_vmachine)).toEqual(fleet.ready.vms.map(({ id_vmachine }) => id_vmachine));
});

test('a module that traps over the greeting runs', async () => {
  const file = moduleFiles(
    'strict',
    `(module
      (memory (export "memory") 1)
      (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))
      ${operation('a', '(if (i32.ne (local.get $size) (i32.const 1)) (then unreachable)) (i64.const 0x40000000001)')})`,
  );
  await using fleet = await TestFleet.start({ flags: ['--service', file('wasm')] });
  expect(await fleet.run('send', ['x'])).toMatchObject({ exitCode: 0, stdout: 'x\n' });
});

const BYTES = `(module
  (memory (export "memory") 1)
  (func (export "shoal_payload_bytes"))
  (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))
  ${operation('echo', '(i64.or (i64.const 0x40000000000) (i64.extend_i32_u (local.get $size)))')})`;

test('a module of bytes is built with the profile that lets bytes through', async () => {
  const file = moduleFiles('bytes', BYTES);
  const build = () => execFileSync('bin/shoal', ['service', 'build', file('wasm'), '--output', file('elf')]).toString();
  expect(build()).toBe(`${file('elf')}\n${file('shoal.json')}\n`);
  expect(JSON.parse(readFileSync(file('shoal.json'), 'utf8'))).toEqual({ payload: 'bytes' });
  // What its author has written there since stays.
  writeFileSync(file('shoal.json'), '{ "payload": "bytes", "memoryMib": 24 }');
  build();
  await using fleet = await TestFleet.start({ flags: ['--image', file('elf')] });
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet, deadlineMs: 60_000 });
  const { bytes } = await client.requestBytes(Uint8Array.of(0xff, 0, 0x80));
  expect(Buffer.from(bytes)).toEqual(Buffer.of(0xff, 0, 0x80));
  expect(JSON.parse(readFileSync(file('shoal.json'), 'utf8'))).toHaveProperty('memoryMib', 24);
});
