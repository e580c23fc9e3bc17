// The engine's image in real virtual machines: services that are hostile, or wrong. The VM lives, others are served, and the next request
// sees the service as it was at its start.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accelerators, exitCodes, FrameType, Guest } from './guest.mjs';
import { script, serviceText, withFile } from './service-file.mjs';

const image = fileURLToPath(new URL('../build/shoal-engine.elf', import.meta.url));

/** Runs `use(guest)` with a guest that has this service. */
function withService(accelerator, functions, options, use) {
  const operations = operationsOf(functions).join(',');
  return withFile(
    serviceText(operations, `var counter = 0; globalThis.n = 0; ${script(functions)}`, options),
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

const errors = `{
  text() { throw 'no' },
  nothing() { throw undefined },
  zero() { throw null },
  number() { throw 42 },
  big() { throw 42n },
  symbol() { throw Symbol('s') },
  object() { throw { a: 1 } },
  thing() { throw function named() {} },
  error() { throw new TypeError('wrong type') },
  empty() { throw new RangeError() },
  status() { throw Object.assign(new Error('gone'), { status: 410 }) },
  high() { throw Object.assign(new Error('mine'), { status: 500 }) },
  fraction() { throw Object.assign(new Error('half'), { status: 404.5 }) },
  proxy() { throw new Proxy({}, { get() { throw 1 }, has() { throw 2 }, ownKeys() { throw 3 }, getPrototypeOf() { throw 4 } }) },
  getter() { throw { get message() { throw new Error('inner') } } },
  statusgetter() { throw { get status() { throw 1 }, message: 'x' } },
  tostring() { throw { toString() { throw 1 }, toJSON() { throw 1 } } },
  long() { throw new Error('x'.repeat(1e6)) },
  lines() { throw new Error('a\\n\\u0000b\\r\\nc') },
  lone() { throw new Error('\\ud800 alone') },
  cycle() { const e = new Error(''); e.message = e; throw e },
  async rejected() { throw Object.assign(new Error('late'), { status: 422 }) },
  async deep() { await null; await null; throw new Error('deep') },
  never() { return new Promise(() => {}) },
  async neverawait() { await new Promise(() => {}); return 'x' },
  thenable() { return { then(done) { done('thenable') } } },
  badthen() { return { get then() { throw new Error('then') } } },
  throwthen() { return { then() { throw new Error('threw') } } },
  constructorless() { return Object.defineProperty(Promise.resolve('x'), 'constructor', { get() { throw new Error('none') } }) },
  microtask() { queueMicrotask(() => { throw new Error('micro') }); return 'x' },
  microtasks() { for (const i of [1, 2]) queueMicrotask(() => { throw new Error('micro ' + i) }); return 'x' },
  blank() { throw ' \\n ' },
  noresult() {},
  numberresult() { return 1 },
  objectresult() { return { a: 1 } },
  arrayresult() { return ['a'] },
  nullresult() { return null },
  boxed() { return new String('x') },
  bytesresult() { return new Uint8Array(2) },
  lonely() { return 'a\\ud800b' },
  nul(text) { return text + '\\0' + text.length },
}`;

const unreadable = '400 the operation threw a value that cannot be shown';
const answers = {
  text: '400 no',
  nothing: '400 undefined',
  zero: '400 null',
  number: '400 42',
  big: '400 42',
  symbol: '400 Symbol(s)',
  object: '400 {"a":1}',
  thing: '400 an object',
  error: '400 wrong type',
  empty: '400 RangeError',
  status: '410 gone',
  high: '400 mine',
  fraction: '400 half',
  proxy: unreadable,
  getter: unreadable,
  statusgetter: unreadable,
  tostring: unreadable,
  long: `400 ${'x'.repeat(160)}`,
  lines: '400 a b c',
  lone: '400 \ufffd alone',
  cycle: '400 Error',
  rejected: '422 late',
  deep: '400 deep',
  never: '400 the promise of the operation "never" never settles: nothing is left to run',
  neverawait: '400 the promise of the operation "neverawait" never settles: nothing is left to run',
  thenable: 'thenable',
  badthen: '400 then',
  throwthen: '400 threw',
  constructorless: '400 none',
  microtask: '400 micro',
  microtasks: '400 micro 1',
  blank: '400 the operation threw an empty text',
  noresult: '400 the operation "noresult" returned undefined, not a string',
  numberresult: '400 the operation "numberresult" returned number, not a string',
  objectresult: '400 the operation "objectresult" returned object, not a string',
  arrayresult: '400 the operation "arrayresult" returned an array, not a string',
  nullresult: '400 the operation "nullresult" returned null, not a string',
  boxed: '400 the operation "boxed" returned object, not a string',
  bytesresult: '400 the operation "bytesresult" returned bytes, and the service has no payload \'bytes\'',
  lonely: 'a\ufffdb',
  nul: 'x\u0000y\u00003',
};

// Each of these ends by itself, with an error, whatever it takes.
const greedy = `{
  ok(text) { return text },
  recursion() { return (function f(n) { return f(n + 1) + 1 })(0) },
  mutual() { const a = () => b() + 1; const b = () => a() + 1; return a() },
  tostring() { const o = { toString() { return o + '' } }; return String(o) },
  sorting() { const f = () => [2, 1].sort(f); return f() },
  replacing() { const f = () => 'x'.replace(/x/, f); return f() },
  mapping() { const f = () => [1].map(f); return f() },
  getters() { const o = { get x() { return o.x } }; return o.x },
  proxies() { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x },
  spreading() { const f = (...a) => f(...a, 1); return f() },
  constructing() { class A { constructor() { new A() } } return new A() },
  generating() { function* f() { yield* f() } return [...f()] },
  binding() { let f = () => ''; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f() },
  json() { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return JSON.stringify(o) },
  parsing() { return JSON.stringify(JSON.parse('['.repeat(2e5))) },
  pattern() { return String(new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('')) },
  code() { return String(eval('('.repeat(1e5) + '1' + ')'.repeat(1e5))) },
  stringify() { const o = { toJSON() { return JSON.stringify(o) } }; return JSON.stringify(o) },
  array() { const a = []; for (;;) a.push(a.length) },
  nested() { let a = []; for (;;) a = [a, a.length] },
  strings() { let s = 'xy'; for (;;) s += s },
  joined() { const a = []; for (;;) a.push('x'.repeat(1000) + a.length) },
  repeated() { return 'x'.repeat(1 << 29) },
  buffer() { return String(new ArrayBuffer(1 << 30).byteLength) },
  buffers() { const a = []; for (;;) a.push(new Uint8Array(65536).fill(1)) },
  maps() { const m = new Map(); for (let i = 0; ; i++) m.set({ i }, [i]) },
  closures() { let f = () => 0; const a = []; for (;;) { const g = f; a.push((f = () => g)) } },
  symbols() { const o = {}; for (let i = 0; ; i++) o['k' + i] = Symbol(String(i)) },
  bigints() { let n = 3n; for (;;) n *= n },
  caught() { const a = []; for (;;) { try { for (;;) a.push('x'.repeat(1000) + a.length) } catch {} } },
  async promises() { const a = []; for (;;) { a.push(Promise.resolve(a.length)); } },
  padded() { return 'x'.padEnd(1e9) },
  output() { return 'x'.repeat(1048577) },
  wide() { return '\u20ac'.repeat(400000) },
  errors() { const a = []; for (;;) { try { null.x } catch (e) { a.push(e) } } },
}`;

// These never end.
const endless = `{
  ok(text) { return text },
  loop() { for (;;); },
  recursing() { const f = (n) => (n > 0 ? f(n - 1) + f(n - 1) : 0); return String(f(60)) },
  pattern() { return String(/^(a+)+$/.test('a'.repeat(40) + 'b')) },
  backtracking() { return String(/(x+x+)+y/.test('x'.repeat(50))) },
  replacing() { return 'a'.repeat(32).concat('b').replace(/^(a|a)*$/, '') },
  sorting() { return [3, 2, 1].sort(() => { for (;;); }).join() },
  getter() { const o = { get x() { for (;;); } }; return o.x },
  proxy() { return new Proxy({}, { get() { for (;;); } }).x },
  async jobs() { for (;;) await null },
  queued() { const f = () => queueMicrotask(f); f(); return 'x' },
  then() { return { then(done) { for (;;); } } },
  generator() { function* f() { for (;;) yield 1 } let n = 0; for (const x of f()) n += x; return String(n) },
  iterated() { for (const x of { [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }); },
  bigint() { for (let n = 7n; ; n = (n * n) % (2n ** 20_000n + 1n)); },
  searched() { return String('a'.repeat(5e5).concat('b').lastIndexOf('a'.repeat(2e5) + 'c')) + String(/(a*)*b(?=c)/.test('a'.repeat(1e5))) },
  array() { return String(Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)) },
  caught() { for (;;) { try { for (;;); } catch {} } },
  finally() { for (;;) { try { return 'x' } finally { continue } } },
  tostring() { return String({ toString() { for (;;); } }) },
  message() { throw { get message() { for (;;); } } },
  logging() { for (let i = 0; ; i++) console.log('flood', i) },
  shown() { console.log({ get x() { return 1 } }, new Proxy({}, { ownKeys() { for (;;); } })) },
}`;

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
        const drawn = new Set();
        for (let i = 0; i < 8; i++) drawn.add((await client.ask('random', '')).payload);
        assert.equal(drawn.size, 8);
      }));

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
        // What cannot be left whole starts anew.
        assert.match((await client.ask('greedy', '')).payload, /^413 /);
        assert.equal((await client.ask('count', '')).payload, '1');
        await guest.seen(/the engine starts anew/);
        // A kept service must not fill up with what requests left.
        for (let i = 0; i < 40; i++)
          assert.equal((await client.ask('echo', 'x'.repeat(500_000))).payload.length, 500_000);
      }));

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

const polluting = `{
  look() {
    const parts = [({}).leak, globalThis.leak, [].map.name, typeof JSON, Object.keys(globalThis).join(), String(Array.prototype.length), typeof Promise.prototype.then, 'x'.toUpperCase(), Math.max(1, 2), counter, typeof console.log, [...'ab'].join()];
    return parts.join('|');
  },
  random() { return String(Math.random()) },
  prototype() { Object.prototype.leak = 1; return 'x' },
  globals() { globalThis.leak = 1; leaked = 2; return 'x' },
  arrays() { Array.prototype.map = () => 1; Array.prototype[0] = 'zero'; return 'x' },
  iterators() { Array.prototype[Symbol.iterator] = function* () {}; String.prototype[Symbol.iterator] = function* () {}; return 'x' },
  json() { JSON = undefined; return 'x' },
  promises() { Promise.prototype.then = () => 0; Promise = 0; return 'x' },
  strings() { String.prototype.toUpperCase = () => 'evil'; String.prototype.toWellFormed = () => { throw 1 }; return 'x' },
  reflect() { Reflect.apply = () => 'evil'; Function.prototype.call = Function.prototype.apply = () => 0; return 'x' },
  console() { console.log = 0; console = 0; return 'x' },
  maths() { Math.max = () => 0; Math.random = () => 4; return 'x' },
  state() { counter++; return 'x' },
  frozen() { Object.freeze(Object.prototype); Object.freeze(globalThis); return 'x' },
  service() { shoalService.default = null; shoalService = null; return 'x' },
  replaced() { for (const key of Reflect.ownKeys(globalThis)) { try { delete globalThis[key] } catch {} } return 'x' },
  async later() { queueMicrotask(() => { globalThis.leak = 1 }); await null; return 'x' },
  thrown() { Object.prototype.leak = 1; throw new Error('x') },
  error() { Error.prototype.message = 'evil'; Object.defineProperty(Object.prototype, 'status', { value: 418 }); throw {} },
}`;

const keeping = `{
  count() { return String(++globalThis.n) },
  echo(text) { return text },
  park() { return new Promise((resolve) => { globalThis.resolve = resolve }) },
  unpark() { resolve('parked'); return 'unparked' },
  microtask() { queueMicrotask(() => { throw new Error('late') }); return 'x' },
  loop() { for (;;); },
  greedy() { const a = []; for (;;) a.push(a.length) },
}`;

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
      serviceText('tostring', script('{}')),
      serviceText('a', script('{ get a() { throw 1 } }')),
    ],
    'out-of-memory': [serviceText('a', 'var a = []; for (;;) a.push(a.length)')],
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
