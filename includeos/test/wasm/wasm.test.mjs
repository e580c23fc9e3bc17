// Images of WebAssembly modules in real virtual machines:  node --test includeos/test/wasm/wasm.test.mjs
import assert from 'node:assert/strict';
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
          one(Number.parseInt(record.slice(0, 4), 16), BigInt(`0x${record.slice(4, 20)}`), BigInt(`0x${record.slice(20)}`));
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
          const at = records.findIndex((_, at) => payload.slice(16 * at, 16 * at + 16) !== expected.slice(16 * at, 16 * at + 16));
          const record = records[at];
          assert.equal(payload.slice(16 * at, 16 * at + 16), expected.slice(16 * at, 16 * at + 16), `${instructions[Number.parseInt(record, 16)]?.name ?? ''} ${record}`);
        }
        // Some of each instruction: every one is a request.
        const chosen = trapping.filter((record, at) => at % 10 === 0 || record.slice(0, 4) !== trapping[at - 1].slice(0, 4));
        for (const record of chosen) {
          const { payload } = await client.ask('run', record);
          assert.ok(node.ask('run', record).includes(payload), `${record}: ${payload}`);
        }
      });
    });
  }
  assert.equal(recordSize, records()[0].length);
});

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
      };

      test('says what it is', async () => {
        const [ready] = await guest.ready();
        assert.match(ready, / idempotent=1 ops=echo,leaves-traces,fails,/);
      });

      test('leaves no trace for the next request', async () => {
        for (let i = 0; i < 3; i++) await isFresh();
      });

      test('traps, and the next request is answered by a fresh instance', async () => {
        for (const [operation, trap] of Object.entries(trapsOf)) {
          const { type, payload } = await client.ask(operation, 'text');
          assert.equal(payload, `500 the module trapped: ${trap}`, operation);
          assert.equal(type, FrameType.error);
          await isFresh();
        }
      });

      test('fails with a code and a message of its own', async () => {
        assert.equal((await client.ask('fails', '')).payload, '422 not so');
        assert.equal((await client.ask('fails-then-traps', '')).payload, '409 not so');
        assert.equal((await client.ask('fails-in-bytes', '')).payload, '400 the operation failed');
        assert.equal((await client.ask('answers-bytes', '')).payload, "500 the operation's result is not valid UTF-8");
        assert.equal((await client.ask('answers-outside', '')).payload, '500 the module trapped: out of bounds');
        await isFresh();
      });

      test('takes as much memory as there is, and no more', async () => {
        assert.equal((await client.ask('grows', '')).payload, '413 the module has no more memory for this text');
        assert.equal((await client.ask('grows-and-lives', 'still')).payload, 'still');
        assert.equal((await client.ask('grows-tables', 'still')).payload, 'still');
        assert.equal((await client.ask('echo', 'x'.repeat(900_001))).payload, '413 the module has no more memory for this text');
        assert.match((await client.ask('answers-much', '')).payload, /^413 the reply is longer than 1048576 bytes/);
        const long = 'ä'.repeat(400_000);
        assert.ok((await client.ask('echo', long)).payload === long);
        await isFresh();
      });

      test('is cancelled wherever it loops, and reports meanwhile', async () => {
        for (const operation of loops) {
          const id = client.nextId++;
          const from = guest.output.length;
          if (process.env.SHOW) var t0 = performance.now();
          client.send({ id, operation, payload: 'x' });
          await guest.seen(/status seq=\d+ [^\n]* inflight=1 .*\n(.*\n)*.*status seq=\d+ [^\n]* inflight=1 /, from);
          client.send({ type: FrameType.cancel, id });
          const answer = await client.receive();
          assert.equal(answer.payload, '499 cancelled', operation);
          if (process.env.SHOW) console.log(operation, performance.now() - t0);
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
