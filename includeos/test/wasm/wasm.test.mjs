// Images of WebAssembly modules in real virtual machines:  node --test includeos/test/wasm/wasm.test.mjs
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accelerators, exitCodes, FrameType, Guest } from '../guest.mjs';
import { assemble, build, bytesOf, temporaryFolder, withGuest } from './build.mjs';
import { hostileModule, loops, trapsOf } from './hostile.mjs';
import { InNode } from './in-node.mjs';
import { instructions, moduleText, records } from './instructions.mjs';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const recordSize = 36;

describe('a module of any one instruction', () => {
  let image;
  let node;
  before(() => {
    const module = assemble(folder.path, 'instructions', moduleText());
    image = build(module);
    node = new InNode(bytesOf(module));
  });

  for (const accelerator of accelerators()) {
    test(`computes under ${accelerator} what Node computes, and traps where Node traps`, async () => {
      const { one } = node.instance().exports;
      const [fine, trapping] = [[], []];
      for (const record of records()) {
        try {
          one(
            Number.parseInt(record.slice(0, 4), 16),
            BigInt(`0x${record.slice(4, 20)}`),
            BigInt(`0x${record.slice(20)}`),
          );
          fine.push(record);
        } catch (error) {
          assert.ok(error instanceof WebAssembly.RuntimeError, error);
          trapping.push(record);
        }
      }
      assert.ok(fine.length > 50_000 && trapping.length > 1000);
      await withGuest({ image, accelerator }, async (_guest, client) => {
        const batch = 20_000;
        for (let start = 0; start < fine.length; start += batch) {
          const records = fine.slice(start, start + batch);
          const [expected] = node.ask('run', records.join(''));
          const { payload } = await client.ask('run', records.join(''));
          if (payload === expected) continue;
          const at = records.findIndex(
            (_, at) => payload.slice(16 * at, 16 * at + 16) !== expected.slice(16 * at, 16 * at + 16),
          );
          const record = records[at];
          assert.equal(
            payload.slice(16 * at, 16 * at + 16),
            expected.slice(16 * at, 16 * at + 16),
            `${instructions[Number.parseInt(record, 16)]?.name ?? ''} ${record}`,
          );
        }
        // Some of each instruction: every one is a request.
        const chosen = trapping.filter(
          (record, at) => at % 10 === 0 || record.slice(0, 4) !== trapping[at - 1].slice(0, 4),
        );
        for (const record of chosen) {
          const { payload } = await client.ask('run', record);
          assert.ok(node.ask('run', record).includes(payload), `${record}: ${payload}`);
        }
      });
    });
  }
  assert.equal(recordSize, records()[0].length);
});

test('a module of 3 MB finds its place, and so does a service in C++ with more constants than the text service', async () => {
  const text = 'abcdefghij'.repeat(300_000);
  const answer = (at, size) => `(i64.const ${(BigInt(at) << 32n) | BigInt(size)})`;
  const module = assemble(
    folder.path,
    'large',
    `(module (memory (export "memory") 60) (data (i32.const 1000) "${text}")
      (func (export "shoal_alloc") (param i32) (result i32) (i32.const 3500000))
      (func (export "shoal_op_end") (param i32 i32) (result i64) (i32.store8 (i32.const 2000000) (i32.const 33)) ${answer(1000 + text.length - 5, 5)})
      (func (export "shoal_op_middle") (param i32 i32) (result i64) ${answer(1_999_995, 10)}))`,
  );
  const source = join(folder.path, 'constants');
  mkdirSync(source);
  const constants = Array.from({ length: 100_000 }, (_, at) => at * at);
  writeFileSync(
    join(source, 'constants.cpp'),
    `#include "shoal/service.h"
    static const unsigned long long constants[] = {${constants.join(',')}};
    static bool square(const shoal::Request& request, shoal::Reply& reply) {
      unsigned long long number = 0;
      for (char digit : request.text) number = number * 10 + static_cast<unsigned long long>(digit - '0');
      return reply.write(constants[number] == number * number ? "yes" : "no");
    }
    static constexpr shoal::Operation kOperations[] = {{"square", square}};
    const shoal::Service shoal::service = {kOperations, true};
    `,
  );
  const image = build(source, join(folder.path, 'constants.elf'));
  for (const accelerator of accelerators()) {
    await withGuest({ image: build(module), accelerator, memoryMib: 32 }, async (_guest, client) => {
      assert.equal((await client.ask('end', 'x')).payload, 'fghij');
      assert.equal((await client.ask('middle', 'x')).payload, 'fghijabcde');
    });
    await withGuest({ image, accelerator }, async (_guest, client) => {
      assert.equal((await client.ask('square', '99999')).payload, 'yes');
    });
  }
});

test('a module of bytes takes and gives any, with a content type', async () => {
  const image = build(
    assemble(
      folder.path,
      'bytes',
      `(module
        (import "shoal" "content_type" (func $reply_type (param i32 i32) (result i32)))
        (import "shoal" "request_content_type" (func $request_type (param i32 i32) (result i32)))
        (memory (export "memory") 1) (func (export "shoal_payload_bytes"))
        (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))
        (data (i32.const 0) "image/png") (data (i32.const 16) " no type")
        (func (export "shoal_op_type") (param i32 i32) (result i64)
          (drop (call $reply_type (i32.const 0) (i32.const 9)))
          (i64.or (i64.const 0x20000000000) (i64.extend_i32_u (call $request_type (i32.const 512) (i32.const 255)))))
        (func (export "shoal_op_cut") (param i32 i32) (result i64)
          (i32.store (i32.const 512) (i32.const 0x2e2e2e2e))
          (i64.or (i64.const 0x20000000000) (i64.extend_i32_u (call $request_type (i32.const 512) (i32.const 2)))))
        (func (export "shoal_op_echo") (param i32 i32) (result i64)
          (i32.store8 (i32.const 1023) (call $reply_type (i32.const 16) (i32.const 8)))
          (i64.or (i64.const 0x3ff00000000) (i64.extend_i32_u (i32.add (local.get 1) (i32.const 1))))))`,
    ),
  );
  await withGuest({ image }, async (guest, client) => {
    const [ready] = await guest.ready();
    assert.match(ready, / payload=bytes /);
    const typed = async (operation, contentType, payload) => {
      client.send({ type: FrameType.typedRequest, id: client.nextId++, operation, contentType, payload });
      const { contentType: named, bytes } = await client.receive();
      return [named, bytes];
    };
    const any = Buffer.from([0, 0xff, 0x80, 10]);
    assert.deepEqual(await typed('type', 'text/css', any), ['image/png', Buffer.from('text/css')]);
    assert.deepEqual(await typed('type', '', any), ['image/png', Buffer.from('')]);
    assert.deepEqual(await typed('echo', 'a/b', any), ['', Buffer.from([0, ...any])]);
    // There was room for two of three bytes.
    assert.deepEqual(await typed('cut', 'a/b', any), ['', Buffer.from('a/.')]);
  });
});

test('a module of one page leaves no trace for the next request either', async () => {
  const image = build(
    assemble(
      folder.path,
      'small',
      `(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
        (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
        (data (i32.const 16) "\\04\\00\\00\\00n\\00o\\00")
        (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "shoal_op_count") (param i32 i32) (result i64)
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (i32.store8 (i32.const 65535) (i32.add (i32.load8_u (i32.const 65535)) (global.get $n)))
          (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.load8_u (i32.const 65535))))
          (i64.const 0x800000001))
        (func (export "shoal_op_says") (param i32 i32) (result i64)
          (call $abort (i32.const 20) (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 0))
        (func (export "shoal_op_silent") (param i32 i32) (result i64)
          (call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 0))
        (data (i32.const 8) "0"))`,
    ),
  );
  await withGuest({ image }, async (_guest, client) => {
    for (let i = 0; i < 3; i++) assert.equal((await client.ask('count', 'x')).payload, '1');
    assert.equal((await client.ask('says', 'x')).payload, '500 the module aborted: no');
    assert.equal((await client.ask('silent', 'x')).payload, '500 the module aborted');
  });
});

for (const accelerator of accelerators()) {
  // Which pages of a small memory were written to, the processor tells (builtin/write_watch.h), and of a large one generated code.
  test(`a module of any memory finds it as it was, under ${accelerator}`, async () => {
    for (const pages of [1, 15, 16, 40]) {
      const last = pages * 65536 - 8;
      const module = assemble(
        folder.path,
        `pages-${pages}`,
        `(module
          (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
          (memory (export "memory") ${pages})
          (func (export "shoal_alloc") (param i32) (result i32) (i32.const 1000))
          (func $number (param $at i32) (result i32) (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
          (func (export "shoal_op_writes") (param $at i32) (param i32) (result i64) (local $place i32) (local $i i32)
            (loop $digits
              (local.set $place (i32.add (i32.mul (local.get $place) (i32.const 10))
                (call $number (i32.add (local.get $at) (local.get $i)))))
              (br_if $digits (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 7))))
            (i32.store8 (i32.const 2000) (i32.add (i32.const 48) (i64.ne (i64.load (local.get $place)) (i64.const 0))))
            (i64.store (local.get $place) (i64.const -1))
            (drop (call $random (local.get $place) (i32.const 8)))
            (i64.const ${(2000n << 32n) | 1n})))`,
      );
      await withGuest({ image: build(module), accelerator }, async (_guest, client) => {
        for (let round = 0; round < 3; round++) {
          for (const place of [3000, 4092, 8188, 12_285, 32_764, 65_520, last - 4095, last]) {
            const { payload } = await client.ask('writes', String(place).padStart(7, '0'));
            assert.equal(payload, '0', `${pages} pages, at ${place}, in round ${round}`);
          }
        }
      });
    }
  });
}

describe('a hostile module', () => {
  let image;
  let kept;
  before(() => {
    image = build(assemble(folder.path, 'hostile', hostileModule('(func (export "shoal_idempotent"))')));
    kept = build(assemble(folder.path, 'kept', hostileModule('(func (export "shoal_keeps_state"))')));
  });

  for (const accelerator of accelerators()) {
    describe(`under ${accelerator}`, () => {
      let guest;
      let client;
      before(async () => {
        guest = await Guest.start({ image, accelerator, settings: { 'shoal.status_ms': 20 } });
        await guest.ready();
        client = await guest.connect();
      });
      after(() => guest.end());

      /** A fresh instance answers the same each time. */
      const isFresh = async () => {
        assert.equal((await client.ask('leaves-traces', '')).payload, '111111S');
        assert.equal((await client.ask('', 'grün')).payload, 'grün');
        assert.equal((await client.ask('writes-across', '')).payload, '0');
      };

      test('says what it is', async () => {
        const [ready] = await guest.ready();
        assert.match(ready, / idempotent=1 ops=echo,leaves-traces,writes-across,/);
      });

      test('leaves no trace for the next request', async () => {
        for (let i = 0; i < 3; i++) await isFresh();
      });

      test('traps, and the next request is answered by a fresh instance', async () => {
        for (const [operation, trap] of Object.entries(trapsOf)) {
          const { type, payload } = await client.ask(operation, 'text');
          assert.equal(
            payload,
            trap === 'aborted' ? '500 the module aborted' : `500 the module trapped: ${trap}`,
            operation,
          );
          assert.equal(type, FrameType.error);
          await isFresh();
        }
      });

      test('fails with a code and a message of its own', async () => {
        assert.equal((await client.ask('fails', '')).payload, '422 not so');
        assert.equal((await client.ask('fails-then-traps', '')).payload, '409 not so');
        assert.equal((await client.ask('fails-in-bytes', '')).payload, '400 the operation failed');
        assert.equal(
          (await client.ask('answers-bytes', '')).payload,
          "400 the service's reply is not valid UTF-8, and it is one that gives text",
        );
        assert.equal((await client.ask('answers-outside', '')).payload, '500 the module trapped: out of bounds');
        await isFresh();
      });

      test('takes as much memory as there is, and no more', async () => {
        assert.equal((await client.ask('grows', '')).payload, '413 the module has no more memory for this text');
        assert.equal((await client.ask('grows-and-lives', 'still')).payload, 'still');
        assert.equal((await client.ask('grows-tables', 'still')).payload, 'still');
        assert.equal(
          (await client.ask('echo', 'x'.repeat(900_001))).payload,
          '413 the module has no more memory for this text',
        );
        assert.match((await client.ask('answers-much', '')).payload, /^413 the reply is longer than 1048576 bytes/);
        const long = 'ä'.repeat(400_000);
        assert.ok((await client.ask('echo', long)).payload === long);
        await isFresh();
      });

      test('is cancelled wherever it loops, and reports meanwhile', async () => {
        for (const operation of loops) {
          const id = client.nextId++;
          const from = guest.output.length;
          client.send({ id, operation, payload: 'x' });
          await guest.seen(/status seq=\d+ [^\n]* inflight=1 .*\n(.*\n)*.*status seq=\d+ [^\n]* inflight=1 /, from);
          client.send({ type: FrameType.cancel, id });
          const answer = await client.receive();
          assert.equal(answer.payload, '499 cancelled', operation);
          await isFresh();
        }
      });

      test('is still there, and stops in order', async () => {
        guest.type('stop\n');
        assert.equal(await guest.exitCode(), exitCodes.stop);
        assert.doesNotMatch(guest.output, /panic/);
      });
    });

    test(`keeps its state under ${accelerator} if it says so, until it traps or is cancelled`, async () => {
      await withGuest({ image: kept, accelerator }, async (guest, client) => {
        const [ready] = await guest.ready();
        assert.match(ready, / idempotent=0 /);
        const first = await client.ask('leaves-traces', '');
        const second = await client.ask('leaves-traces', '');
        assert.equal(first.payload, '111111S');
        // The memory that it has grown by is a page further each time, so that its last bytes are fresh ones.
        assert.equal(second.payload, '222122S');
        assert.equal((await client.ask('fails', '')).payload, '422 not so');
        assert.equal((await client.ask('leaves-traces', '')).payload, '333123S');
        assert.equal((await client.ask('unreachable', '')).payload, '500 the module trapped: unreachable');
        assert.equal((await client.ask('leaves-traces', '')).payload, '111111S');
        const id = client.nextId++;
        client.send({ id, operation: 'tight', payload: '' });
        await sleep(100);
        client.send({ type: FrameType.cancel, id });
        assert.equal((await client.receive()).payload, '499 cancelled');
        assert.equal((await client.ask('leaves-traces', '')).payload, '111111S');
      });
    });
  }
});
