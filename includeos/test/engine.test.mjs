// The engine's image in real virtual machines: services that are hostile, or wrong. The VM lives, others are served, and the next request
// sees the service as it was at its start.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accelerators, exitCodes, FrameType, Guest } from './guest.mjs';
import { answers, endless, errors, greedy, keeping, polluting } from './hostile-scripts.mjs';
import { script, serviceText, withFile } from './service-file.mjs';

const image = fileURLToPath(new URL('../build/shoal-engine.elf', import.meta.url));

/** Runs `use(guest)` with a guest that has this service. */
function withService(accelerator, functions, options, use) {
  const operations = operationsOf(functions).join(',');
  return withFile(
    serviceText(operations, `var counter = 0; globalThis.n = 0; ${options.before ?? ''} ${script(functions)}`, options),
    async (initrd) => {
      const guest = await Guest.start({ image, accelerator, initrd, memoryMib: options.memoryMib ?? 16 });
      try {
        await guest.ready();
        await use(guest, await guest.connect());
      } finally {
        await guest.end();
      }
    },
  );
}

for (const accelerator of accelerators()) {
  describe(`the engine under ${accelerator}`, () => {
    test('whatever an operation throws or returns is an answer', () =>
      withService(accelerator, errors, {}, async (_guest, client) => {
        for (const [operation, expected] of Object.entries(answers)) {
          const { payload } = await client.ask(operation, 'x\0y');
          assert.equal(payload, expected, operation);
        }
      }));

    test('recursion, and more memory than there is, end the request only', () =>
      withService(accelerator, greedy, {}, async (guest, client) => {
        for (const operation of operationsOf(greedy)) {
          const { payload } = await client.ask(operation, 'text');
          if (operation === 'ok') assert.equal(payload, 'text');
          else assert.match(payload, /^(400|413) /, operation);
          assert.equal((await client.ask('ok', 'next')).payload, 'next', `after ${operation}`);
        }
        for (const operation of ['array', 'joined', 'buffers', 'maps', 'caught']) {
          assert.equal(
            (await client.ask(operation, '')).payload,
            '413 the operation takes more memory than this service has',
          );
        }
        for (const operation of ['output', 'wide']) {
          assert.match((await client.ask(operation, '')).payload, /^413 the reply is longer than/);
        }
        assert.equal((await client.ask('recursion', '')).payload, '400 Maximum call stack size exceeded');
        assert.doesNotMatch(guest.output, /panic|trapped/);
      }));

    test('what never ends is cancelled, and meanwhile pings are answered and reports go out', () =>
      withService(accelerator, endless, {}, async (guest, client) => {
        for (const operation of operationsOf(endless)) {
          if (operation === 'ok' || operation === 'shown') continue;
          client.send({ id: 77, operation, payload: '' });
          client.send({ type: FrameType.ping, id: 78 });
          const pong = await client.receive();
          assert.equal(pong.type, FrameType.pong, `${operation}: ${pong.payload}`);
          const from = guest.output.length;
          await guest.seen(/\nshoal1 status .* inflight=1 /, from);
          client.send({ type: FrameType.cancel, id: 77 });
          const answer = await client.receive();
          assert.equal(answer.payload, '499 cancelled', operation);
          assert.equal((await client.ask('ok', 'next')).payload, 'next', `after ${operation}`);
        }
        await guest.seen(/\nflood 0\nflood 1\n/);
      }));

    test('a request sees nothing of those before it', () =>
      withService(accelerator, polluting, {}, async (_guest, client) => {
        const clean = (await client.ask('look', '')).payload;
        for (const operation of operationsOf(polluting)) {
          if (operation === 'look' || operation === 'random') continue;
          await client.ask(operation, 'x');
          assert.equal((await client.ask('look', '')).payload, clean, `after ${operation}`);
        }
        for (let i = 0; i < 2; i++) assert.equal((await client.ask('context', '')).payload, 'contextundefined');
        const drawn = new Set();
        for (let i = 0; i < 8; i++) drawn.add((await client.ask('random', '')).payload);
        assert.equal(drawn.size, 8);
      }));

    test('wherever a request writes to, the next one finds what was there at the start', async () => {
      // Across the ends of pages as well, and twice: the first write to a page is another thing than those after it.
      const functions = `{
  writes(text) {
    const seen = new Set();
    for (const at of text.split(' ')) seen.add(view.getFloat64(+at)).add(things[at % things.length].n);
    for (const at of text.split(' ')) {
      view.setFloat64(+at, 1.5);
      things[at % things.length].n = 'written';
    }
    return [...seen].join();
  },
}`;
      // Of more than 14 MiB, which pages were written to is not known.
      for (const mib of [3, 20]) {
        const before = `var view = new DataView(new ArrayBuffer(${mib << 20})), things = [];
        for (let i = 0; i < 5000; i++) things.push({ n: 0, other: [i] });`;
        await withService(accelerator, functions, { memoryMib: 96, before }, async (_guest, client) => {
          const places = Array.from({ length: 400 }, (_, i) => (i * 4099 * 37 + (i % 2) * 4093) % ((mib << 20) - 8));
          places.push(...[1, 17, 300].map((page) => page * 4096 - 4));
          for (const chosen of [places.slice(0, 100), places, places.slice(50), places]) {
            assert.equal((await client.ask('writes', chosen.join(' '))).payload, '0', `${mib} MiB`);
          }
        });
      }
    });

    test('a service that says so keeps its state, also when a request is cancelled', () =>
      withService(accelerator, keeping, { state: 'kept' }, async (guest, client) => {
        for (let i = 1; i <= 3; i++) assert.equal((await client.ask('count', '')).payload, String(i));
        client.send({ id: 9, operation: 'loop', payload: '' });
        await guest.seen(/\nshoal1 status .* inflight=1 /, guest.output.length);
        client.send({ type: FrameType.cancel, id: 9 });
        assert.equal((await client.receive()).payload, '499 cancelled');
        assert.equal((await client.ask('count', '')).payload, '4');
        // Each request has its own outcome, whatever one before it still waits for.
        assert.match((await client.ask('park', '')).payload, /^400 .* never settles/);
        assert.equal((await client.ask('unpark', '')).payload, 'unparked');
        assert.equal((await client.ask('microtask', '')).payload, '400 late');
        assert.equal((await client.ask('count', '')).payload, '5');
        for (let i = 0; i < 2; i++) assert.equal((await client.ask('context', '')).payload, 'contextundefined');
        // What cannot be left whole starts anew.
        assert.match((await client.ask('greedy', '')).payload, /^413 /);
        assert.equal((await client.ask('count', '')).payload, '1');
        await guest.seen(/the engine starts anew/);
        // A kept service must not fill up with what requests left.
        for (let i = 0; i < 40; i++)
          assert.equal((await client.ask('echo', 'x'.repeat(500_000))).payload.length, 500_000);
        const ram = async () => {
          const from = guest.output.length;
          await guest.seen(/\nshoal1 status .*\n/, from);
          return Number(/\nshoal1 status .* ram=(\d+)/.exec(guest.output.slice(from))[1]);
        };
        const before = await ram();
        for (const operation of ['thrown', 'echo', 'context', 'microtask']) {
          for (let round = 0; round < 150; round++) {
            for (let id = 1; id <= 100; id++) client.send({ id, operation, payload: 'short' });
            for (let id = 1; id <= 100; id++) await client.receive();
          }
        }
        assert.ok((await ram()) < before + 65_536);
      }));

    test('what is cancelled leaves nothing in a service that keeps its state', () =>
      withService(
        accelerator,
        `{
  reply() { queueMicrotask(() => { for (;;); }); return 'x'.repeat(1e6) },
  input() { for (;;); },
  waiting() { for (const job of [() => { for (;;); }, () => { n = 100 }]) Promise.resolve().then(job); return 'x' },
  count() { return String(++n) },
}`,
        { state: 'kept' },
        async (_guest, client) => {
          const cancel = async (operation) => {
            client.send({ id: 9, operation, payload: 'x'.repeat(500_000) });
            client.send({ type: FrameType.ping, id: 10 });
            assert.equal((await client.receive()).type, FrameType.pong);
            client.send({ type: FrameType.cancel, id: 9 });
            assert.equal((await client.receive()).payload, '499 cancelled');
          };
          for (let round = 0; round < 16; round++) await cancel(round % 2 === 0 ? 'reply' : 'input');
          // What a promise still has to run does not run with the next request.
          await cancel('waiting');
          assert.equal((await client.ask('count', '')).payload, '1');
          assert.equal((await client.ask('count', '')).payload, '2');
        },
      ));

    test('a kept service of bytes does not fill up with what requests left', () =>
      withService(
        accelerator,
        `{
  bytes(b) { return b },
  async late(b) { return { payload: b, contentType: 'a/b' } },
  told(b, { contentType }) { return contentType },
  failing(b) { queueMicrotask(() => { throw new Error('x'.repeat(b.length)) }); return b },
  textfailing(b) { queueMicrotask(() => { throw 'y'.repeat(b.length) }); return 'x'.repeat(b.length) },
  never() { return new Promise(() => 0) },
  async refused(b) { throw { status: 404, message: 'x'.repeat(b.length) } },
  lost(b) { for (let i = 0; i < 20; i++) Promise.reject(b).catch(() => 0); return b },
}`,
        { state: 'kept', payload: 'bytes', memoryMib: 24 },
        async (guest, client) => {
          for (const operation of ['bytes', 'late', 'told', 'failing', 'textfailing', 'never', 'refused', 'lost']) {
            for (let round = 0; round < 40; round++) {
              const payload = 'x'.repeat(500_000);
              client.send({ type: FrameType.typedRequest, id: 9, operation, contentType: 'x/y', payload });
              assert.doesNotMatch((await client.receive()).payload, /^413/, `${operation} ${round}`);
            }
          }
          assert.doesNotMatch(guest.output, /the engine starts anew/);
        },
      ));

    test('a script draws other random numbers at each start, and in each request', async () => {
      const drawn = new Set();
      for (let start = 0; start < 2; start++) {
        await withService(
          accelerator,
          `{\n  drawn() { return first },\n  next() { return String(Math.random()) },\n}`,
          { before: 'var first = String(Math.random());' },
          async (_guest, client) => {
            for (const operation of ['drawn', 'next', 'next']) drawn.add((await client.ask(operation, '')).payload);
          },
        );
      }
      assert.equal(drawn.size, 6);
    });

    test('what a script has begun at its start has come to its end before the first request', () =>
      withFile(
        serviceText(
          'a',
          `var made; Promise.resolve().then(() => { made = 'made' }); ${script('{ a: () => String(made) }')}`,
        ),
        async (initrd) => {
          const guest = await Guest.start({ image, accelerator, initrd });
          try {
            await guest.ready();
            assert.equal((await (await guest.connect()).ask('a', '')).payload, 'made');
          } finally {
            await guest.end();
          }
        },
      ));

    test('bytes go in and come out', () =>
      withService(
        accelerator,
        `{\n  flip(bytes) { return bytes.map((byte) => 255 - byte) },\n  part(bytes) { return bytes.subarray(1, 3) },\n  kind(bytes) { return bytes.constructor.name + bytes.length },\n  type(_, { contentType }) { return String(contentType) },\n  detached(bytes) { bytes.buffer.transfer(); return bytes },\n  late(bytes) { Promise.resolve().then(() => 0).then(() => bytes.buffer.transfer()); return bytes },\n  shrunk() { const buffer = new ArrayBuffer(8, { maxByteLength: 8 }); const bytes = new Uint8Array(buffer); buffer.resize(2); return bytes },\n}`,
        { payload: 'bytes' },
        async (_guest, client) => {
          assert.equal((await client.ask('flip', Buffer.from([0x9e, 0x9d]))).payload, 'ab');
          assert.equal((await client.ask('part', 'abcd')).payload, 'bc');
          assert.equal((await client.ask('kind', 'abcd')).payload, 'Uint8Array4');
          assert.equal((await client.ask('type', 'abcd')).payload, 'undefined');
          assert.equal((await client.ask('detached', 'abcd')).payload, '400 ArrayBuffer is detached or resized');
          assert.equal((await client.ask('late', 'abcd')).payload, 'abcd');
          assert.equal((await client.ask('shrunk', 'abcd')).payload, '\0\0');
        },
      ));

    test('a script gets the content type of a request, and names that of its reply', () =>
      withService(
        accelerator,
        `{
  told(_, { contentType }) { return { payload: String(contentType), contentType: 'text/csv' } },
  picture(bytes) { return { payload: bytes.subarray(1), contentType: 'image/png' } },
  text() { return 'text' },
  bytes() { return new Uint8Array(1) },
  wrong() { return { payload: 'x', contentType: ' ' } },
}`,
        { payload: 'bytes' },
        async (_guest, client) => {
          const asked = async (operation, contentType) => {
            client.send({ type: FrameType.typedRequest, id: 1, operation, contentType, payload: 'abc' });
            const { type, payload, contentType: named } = await client.receive();
            return type === FrameType.typedReply ? [named, payload] : payload;
          };
          assert.deepEqual(await asked('told', 'a/b'), ['text/csv', 'a/b']);
          assert.deepEqual(await asked('told', ''), ['text/csv', 'undefined']);
          assert.deepEqual(await asked('picture', ''), ['image/png', 'bc']);
          assert.deepEqual(await asked('text', ''), ['text/plain; charset=utf-8', 'text']);
          assert.deepEqual(await asked('bytes', ''), ['', '\0']);
          assert.match(await asked('wrong', ''), /^400 .*content type/);
        },
      ));

    test('an operation knows its name and the content type, if the client has named one, and says what a text is', () =>
      withService(
        accelerator,
        `{\n  type(bytes, { operation, contentType }) { return operation + ' ' + contentType },\n  same(bytes) { return bytes },\n}`,
        { payload: 'bytes', idempotent: 0 },
        async (guest, client) => {
          const [ready] = await guest.ready();
          assert.match(ready, / idempotent=0 payload=bytes ops=type,same\n/);
          const typed = async (operation, contentType) => {
            client.send({ type: FrameType.typedRequest, id: client.nextId++, operation, contentType, payload: 'x' });
            const { contentType: named, payload } = await client.receive();
            return [named, payload];
          };
          const text = 'text/plain; charset=utf-8';
          assert.deepEqual(await typed('type', 'image/png'), [text, 'type image/png']);
          assert.deepEqual(await typed('type', ''), [text, 'type undefined']);
          assert.deepEqual(await typed('same', 'image/png'), ['', 'x']);
          assert.equal((await client.ask('type', 'x')).payload, 'type undefined');
        },
      ));

    test('more memory for the VM is more for its script', () =>
      withService(
        accelerator,
        `{\n  fill(text) { const a = []; for (let i = 0; i < +text; i++) a.push(new Uint8Array(1 << 20).fill(1)); return String(a.length) },\n}`,
        { memoryMib: 48 },
        async (_guest, client) => {
          assert.equal((await client.ask('fill', '24')).payload, '24');
          assert.match((await client.ask('fill', '60')).payload, /^413 /);
          assert.equal((await client.ask('fill', '24')).payload, '24');
        },
      ));

    test('what a script holds is in the ram of the status line', () =>
      withService(
        accelerator,
        `{\n  hold(text) { globalThis.held = new Uint8Array(+text * 2 ** 20).fill(1); return text },\n}`,
        { state: 'kept', memoryMib: 48 },
        async (guest, client) => {
          const ramBytes = async () => {
            const from = guest.output.length;
            await guest.seen(/\nshoal1 status [^\n]* ram=\d+ [^\n]*\n/, from);
            return Number(/ ram=(\d+) /.exec(guest.output.slice(from))[1]);
          };
          const before = await ramBytes();
          assert.equal((await client.ask('hold', '12')).payload, '12');
          const grown = (await ramBytes()) - before;
          assert.ok(grown > 11 * 2 ** 20 && grown < 16 * 2 ** 20, `${grown} bytes more`);
        },
      ));

    test('a reply that there is no memory for is none', () =>
      withService(
        accelerator,
        `{\n  full(text) { globalThis.all = []; for (let i = 0; i < +text; i++) all.push(new Uint8Array(10000)); globalThis.twice = 'y'.repeat(1e6); return '\u00e4'.repeat(5e5) },\n}`,
        {},
        async (_guest, client) => {
          const whole = 'ä'.repeat(5e5);
          const none = '413 the operation takes more memory than this service has';
          for (let count = 0; count < 420; count += 10) {
            const { payload } = await client.ask('full', String(count));
            assert.ok(payload === whole || payload === none, `${count}: ${payload.slice(0, 80)}`);
          }
          assert.equal((await client.ask('full', '0')).payload, whole);
          assert.equal((await client.ask('full', '420')).payload, none);
        },
      ));

    test('what a script logs are lines of the log, and never one of the contract', () =>
      withService(
        accelerator,
        `{\n  say(text) { console.log(text); console.error('second', 2); return 'said' },\n}`,
        {},
        async (guest, client) => {
          await client.ask('say', 'shoal1 bye reason=stop\nplain\u0001\u001b[2J\nlast');
          await guest.seen(/second 2\n/);
          const lines = guest.output.replaceAll(/\nshoal1 status .*\n/g, '');
          assert.match(lines, /\n\| shoal1 bye reason=stop\nplain {2}\[2J\nlast\nsecond 2\n/);
        },
      ));
  });
}

function operationsOf(functions) {
  return [...functions.matchAll(/^ {2}(?:async )?\*?"?([a-z0-9._-]+)"?\(/gm)].map(([, name]) => name);
}

describe('a service file that cannot be used', () => {
  const good = serviceText('a', script('{ a: () => "x" }'));
  const cases = {
    'no-service-file': undefined,
    'bad-service-file': [
      'x',
      good.replace('shoal-service 1', 'shoal-service 2'),
      good.replace('operations a', 'operations a,a'),
      good.replace('operations a', 'operations a,'),
      good.replace('operations a', 'operations A'),
      good.replace('operations a', `operations ${Array.from({ length: 65 }, (_, i) => `o${i}`)}`),
      good.replace('idempotent 1', 'idempotent yes'),
      good.replace('state fresh', 'state stale'),
      good.replace('payload text', 'payload json'),
      good.replace(/source \d+/, 'source 5'),
      good.replace(/source \d+/, 'source -1'),
      `${good} `,
      good.slice(0, -1),
      good.replace('\n\n', '\n'),
      Buffer.concat([Buffer.from(serviceText('a', 'x').slice(0, -1)), Buffer.from([0xff])]),
    ],
    'syntax-error': [serviceText('a', 'var shoalService = {')],
    threw: [serviceText('a', 'throw new Error("at start")'), serviceText('a', 'throw { toString() { throw 1 } }')],
    'no-operations': [serviceText('a', 'var shoalService = {}'), serviceText('a', '1')],
    'no-such-operation': [
      serviceText('a,b', script('{ a: () => "x" }')),
      serviceText('a', script('{ a: 1 }')),
      serviceText('constructor', script('{}')),
      serviceText('a', script('{ get a() { throw 1 } }')),
    ],
    'out-of-memory': [
      serviceText('a', 'var a = []; for (;;) a.push(a.length)'),
      serviceText('a', script('{ get a() { const a = []; for (;;) a.push(a.length) } }')),
    ],
  };
  for (const [why, contents] of Object.entries(cases)) {
    test(why, async () => {
      for (const content of contents ?? [undefined]) {
        const check = async (initrd) => {
          const guest = await Guest.start({ image, initrd });
          try {
            assert.equal(await guest.exitCode(), exitCodes.badArgument);
            assert.match(
              guest.output,
              new RegExp(`\nshoal1 bye reason=bad-service why=${why}\n`),
              String(content).slice(0, 200),
            );
            assert.match(guest.output, /service: /);
            assert.doesNotMatch(guest.output, /shoal1 ready/);
          } finally {
            await guest.end();
          }
        };
        if (content === undefined) await check(undefined);
        else await withFile(content, check);
      }
    });
  }
});
