// What modules may import and must export, and what they get of it:  node --test includeos/test/wasm/imports.test.mjs
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { accelerators, Guest } from '../guest.mjs';
import { assemble, build, temporaryFolder, tryBuild, withGuest } from './build.mjs';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

const memory = '(memory (export "memory") 1)';
const allocator = '(func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))';
const operation = '(func (export "shoal_op_echo") (param i32 i32) (result i64) (i64.const 0))';

describe('what is no service is refused by name', () => {
  const refusals = {
    'an unknown function': [
      `(import "env" "now" (func (result i64))) (import "env" "sin" (func (param f64) (result f64))) ${memory} ${allocator} ${operation}`,
      /the module imports env\.now \(a function \(\) -> u64\), env\.sin \(a function \(f64\) -> f64\), which a guest does not have; it has shoal\.fail, shoal\.content_type, /,
    ],
    'a memory, a table and a global of another': [
      `(import "env" "memory" (memory 1)) (import "env" "table" (table 1 funcref)) (import "env" "base" (global i32)) (export "memory" (memory 0)) ${allocator} ${operation}`,
      /imports env\.base \(a global\), env\.memory \(a memory\), env\.table \(a table\), which/,
    ],
    'a function of another type': [
      `(import "shoal" "fail" (func (param i32))) ${memory} ${allocator} ${operation}`,
      /the module imports shoal\.fail as a function \(u32\) -> void, and a guest has it as void \(u32, u32, u32\)/,
    ],
    'no memory': [`(memory 1) ${allocator} ${operation}`, /the module has no export memory/],
    'a memory that begins with more than there ever is': [
      `(memory (export "memory") 4097) ${allocator} ${operation}`,
      /the module's memory begins with 256\.062 MiB, and 256 MiB are the most/,
    ],
    'no allocator': [`${memory} ${operation}`, /the module has no export shoal_alloc, \(i32\) -> i32/],
    'no operation': [
      `${memory} ${allocator}`,
      /the module has no operation: an export shoal_op_NAME, \(i32, i32\) -> i64/,
    ],
    'an operation of another type': [
      `${memory} ${allocator} (func (export "shoal_op_a") (param i32) (result i32) (i32.const 0))`,
      /the operation shoal_op_a must be \(i32, i32\) -> i64, and is a function \(u32\) -> u32/,
    ],
    'an operation with a capital letter': [
      `${memory} ${allocator} (func (export "shoal_op_Upper") (param i32 i32) (result i64) (i64.const 0))`,
      /the name of the operation 'Upper' must be 1 to 64 of a-z, 0-9, '\.', '_' and '-'/,
    ],
    'an operation with a long name': [
      `${memory} ${allocator} ${operation.replace('echo', 'x'.repeat(65))}`,
      /the name of the operation 'x{65}' must be 1 to 64 of/,
    ],
    'an operation without a name': [
      `${memory} ${allocator} (func (export "shoal_op_") (param i32 i32) (result i64) (i64.const 0))`,
      /the name of the operation '' must be/,
    ],
    'a name that ends a comment of the C that it stands in': [
      `${memory} ${allocator} ${operation} (func (export "*/ int more; /*"))`,
      /a name that '.*' exports or imports has a control character or '\*\/' in it/,
    ],
    'a name of several lines': [
      `${memory} ${allocator} ${operation} (func (export "x' */\\0aint more;\\0a/* export: 'y"))`,
      /a name that '.*' exports or imports has a control character/,
    ],
    'too many operations': [
      `${memory} ${allocator} ${Array.from({ length: 65 }, (_, at) => operation.replace('echo', `o${at}`)).join(' ')}`,
      /the module has 65 operations, and 64 are the most/,
    ],
    'a flag that is a number': [
      `${memory} ${allocator} ${operation} (global (export "shoal_idempotent") i32 (i32.const 1))`,
      /the export shoal_idempotent must be a function without parameters and result/,
    ],
    'a flag that does not exist': [
      `${memory} ${allocator} ${operation} (func (export "shoal_pure"))`,
      /the export shoal_pure means nothing/,
    ],
  };
  for (const [name, [fields, expected]] of Object.entries(refusals)) {
    test(name, () => {
      const { status, output } = tryBuild(
        assemble(folder.path, 'refused', `(module ${fields})`),
        join(folder.path, 'refused.elf'),
      );
      assert.notEqual(status, 0);
      assert.match(output, expected);
    });
  }

  test('what is no module at all', () => {
    const file = join(folder.path, 'text.wasm');
    writeFileSync(file, 'no module');
    assert.match(
      tryBuild(file, join(folder.path, 'text.elf')).output,
      /wasm2c cannot translate '.*' \(bad magic value\): it knows no SIMD/,
    );
    assert.match(tryBuild(join(folder.path, 'nothing.wasm'), join(folder.path, 'text.elf')).output, /there is no file/);
  });
});

test('a module may have 64 operations, and names of 64 characters', async () => {
  const operations = ['x'.repeat(64), ...Array.from({ length: 63 }, (_, at) => `o${at}`)];
  const fields = operations.map((name) => operation.replace('echo', name)).join(' ');
  const image = build(assemble(folder.path, 'most', `(module ${memory} ${allocator} ${fields})`));
  await withGuest({ image }, async (_guest, client) => {
    for (const name of [operations.at(0), operations.at(-1)]) assert.equal((await client.ask(name, 'x')).payload, '');
  });
});

const printed = ['plain', 'shoal1 ready v=1', 'with\\00zero', 'x'.repeat(600), 'ä'.repeat(300), 'no end of line'];
const data =
  printed
    .slice(0, -1)
    .map((line) => `${line}\\n`)
    .join('') + printed.at(-1);
const dataSize = Buffer.byteLength(data.replaceAll(/\\(n|00)/g, '!'));

test('WASI: output, clock, random numbers, and nothing else', async () => {
  const wasi = (name, params, result = '(result i32)') =>
    `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params}) ${result}))`;
  const image = build(
    assemble(
      folder.path,
      'wasi',
      `(module
        ${wasi('fd_write', 'i32 i32 i32 i32')} ${wasi('clock_time_get', 'i32 i64 i32')} ${wasi('random_get', 'i32 i32')}
        ${wasi('environ_sizes_get', 'i32 i32')} ${wasi('args_sizes_get', 'i32 i32')} ${wasi('proc_exit', 'i32', '')}
        ${wasi('fd_close', 'i32')} ${wasi('fd_seek', 'i32 i64 i32 i32')} ${wasi('fd_fdstat_get', 'i32 i32')}
        ${memory} ${allocator}
        (global $started (mut i32) (i32.const 0))
        (data (i32.const 32) "\\00\\20\\00\\00") (data (i32.const 8192) "${data}")
        (func (export "_initialize") (global.set $started (i32.const 1)))
        (func (export "shoal_op_print") (param i32 i32) (result i64)
          (i32.store (i32.const 36) (i32.const ${dataSize}))
          (i32.store8 (i32.const 64) (i32.add (i32.const 48) (call $fd_write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 40))))
          (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.eq (i32.load (i32.const 40)) (i32.const ${dataSize}))))
          (i32.store8 (i32.const 66) (i32.add (i32.const 48) (call $fd_write (i32.const 3) (i32.const 32) (i32.const 1) (i32.const 40))))
          (i32.store8 (i32.const 67) (i32.add (i32.const 48) (global.get $started)))
          (i64.const 0x4000000004))
        (func (export "shoal_op_nothing") (param i32 i32) (result i64)
          (i32.store8 (i32.const 64) (i32.add (i32.const 48) (call $args_sizes_get (i32.const 80) (i32.const 84))))
          (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.or (i32.load (i32.const 80)) (i32.load (i32.const 84)))))
          (i32.store8 (i32.const 66) (i32.add (i32.const 48) (call $environ_sizes_get (i32.const 80) (i32.const 84))))
          (i32.store8 (i32.const 67) (i32.add (i32.const 48) (i32.or (i32.load (i32.const 80)) (i32.load (i32.const 84)))))
          (i32.store8 (i32.const 68) (i32.add (i32.const 48) (call $fd_close (i32.const 5))))
          (i32.store8 (i32.const 69) (i32.add (i32.const 48) (call $fd_fdstat_get (i32.const 1) (i32.const 96))))
          (i32.store8 (i32.const 70) (i32.add (i32.const 40) (call $fd_seek (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 96))))
          (i64.const 0x4000000007))
        (func (export "shoal_op_time") (param i32 i32) (result i64)
          (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 64)))
          (i64.store (i32.const 64) (i64.add (i64.const 0x3030303030303030) (i64.and (i64.const 0x0f0f0f0f0f0f0f0f) (i64.div_u (i64.load (i32.const 64)) (i64.const 1000000)))))
          (i64.const 0x4000000008))
        (func (export "shoal_op_random") (param i32 i32) (result i64)
          (drop (call $random_get (i32.const 64) (i32.const 8)))
          (i64.store (i32.const 64) (i64.add (i64.const 0x4040404040404040) (i64.and (i64.const 0x0f0f0f0f0f0f0f0f) (i64.load (i32.const 64)))))
          (i64.const 0x4000000008))
        (func (export "shoal_op_exit") (param i32 i32) (result i64) (call $proc_exit (i32.const 0)) (i64.const 0)))`,
    ),
  );
  for (const accelerator of accelerators()) {
    await withGuest({ image, accelerator }, async (guest, client) => {
      assert.equal((await client.ask('print', '')).payload, '0181');
      await guest.seen(/\nno end of line\n/);
      const seen = Buffer.from(guest.output, 'latin1').toString();
      assert.match(seen, /\nplain\n\| shoal1 ready v=1\nwith zero\nx{512}\nx{88}\nä{256}\nä{44}\nno end of line\n/);
      assert.equal((await client.ask('nothing', '')).payload, '00008\u00300');
      const times = new Set();
      for (let i = 0; i < 5; i++) times.add((await client.ask('random', '')).payload);
      assert.equal(times.size, 5);
      assert.match((await client.ask('time', '')).payload, /^[0-?]{8}$/);
      assert.equal((await client.ask('exit', '')).payload, '500 the module aborted');
      assert.equal((await client.ask('print', '')).payload, '0181');
    });
  }
});

test('a module that prints without an end: 4 KiB at once, 8 KiB a second, and the lines beyond that are counted', async () => {
  const image = build(
    assemble(
      folder.path,
      'flood',
      `(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        ${memory} ${allocator}
        (data (i32.const 32) "\\40\\00\\00\\00\\64\\00\\00\\00") (data (i32.const 64) "${'x'.repeat(99)}\\n")
        (func $print (param $count i32)
          (loop $l
            (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40)))
            (br_if $l (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
        (func (export "shoal_op_flood") (param i32 i32) (result i64) (call $print (i32.const 3000)) (i64.const 0))
        (func (export "shoal_op_line") (param i32 i32) (result i64) (call $print (i32.const 1)) (i64.const 0)))`,
    ),
  );
  await withGuest({ image }, async (guest, client) => {
    const startedMs = performance.now();
    await client.ask('flood', '');
    const printed = () => guest.output.match(/x{99}\n/g)?.length ?? 0;
    const left = () => guest.output.matchAll(/\((\d+) lines were too many for the log\)\n/g);
    const counted = () => [...left()].reduce((sum, [, lines]) => sum + Number(lines), 0);
    // What was left out is told before the next line that there is room for.
    let lines = 3000;
    for (let i = 0; i < 1000 && printed() + counted() !== lines; i++) {
      await client.ask('line', '');
      lines++;
    }
    assert.equal(printed() + counted(), lines);
    assert.ok(counted() > 0);
    const bytesMax = 4096 + 8.192 * 1.1 * (performance.now() - startedMs);
    assert.ok(printed() * 100 <= bytesMax, `${printed()} lines of 100 bytes, and at most ${bytesMax} bytes`);
  });
});

describe('a module that cannot start', () => {
  const failing = {
    'because it traps': [
      '(memory (export "memory") 1) (func $start unreachable) (start $start)',
      'trap-at-start',
      /the module trapped at its start: unreachable/,
    ],
    'because it wants more memory than there is': ['(memory (export "memory") 200)', 'too-little-memory', /./],
    'because its data does not fit': [
      '(memory (export "memory") 1) (data (i32.const 65535) "ab")',
      'trap-at-start',
      /out of bounds/,
    ],
  };
  for (const [name, [fields, why, says]] of Object.entries(failing)) {
    test(name, async () => {
      const image = build(assemble(folder.path, 'failing', `(module ${fields} ${allocator} ${operation})`));
      await assert.rejects(
        withGuest({ image }, async () => {}),
        (error) => {
          assert.match(
            error.message,
            new RegExp(`the guest ended with 69 before[^]*shoal1 bye reason=bad-service why=${why}\n`),
          );
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  test('because its start never ends says so meanwhile', async () => {
    const loops = '(memory (export "memory") 1) (func $start (loop $l (br $l))) (start $start)';
    const image = build(assemble(folder.path, 'endless', `(module ${loops} ${allocator} ${operation})`));
    const guest = await Guest.start({ image });
    try {
      await guest.seen(/service: what it runs at its start goes on and on: it must be quick\n/);
    } finally {
      await guest.end();
    }
  });
});
