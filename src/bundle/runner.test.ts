import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openService, type Runner } from './mod.ts';

/** What clients and authors may do, as the guest has it too. */
const HOSTILE = `
let count = 0;
const shared = [];
export default {
  count: () => String(++count),
  loop: () => { for (;;); },
  regexp: () => String(/^(a+)+$/.test('a'.repeat(60) + 'b')),
  memory: () => { const all = []; for (;;) all.push(new Array(1000).fill(1)); },
  'late-memory': async () => { await null; const all = []; for (;;) all.push(new Array(1000).fill(1)); },
  large: () => 'x'.repeat(64 * 1024 * 1024),
  long: () => 'x'.repeat(1024 * 1024 + 1),
  full: () => { const all = []; for (let i = 0; i < 1640; i++) all.push(new Uint8Array(10000)); globalThis.kept = [all, 'y'.repeat(1e6)]; return '\u00e4'.repeat(5e5); },
  nested: () => String(JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)).length),
  microtask: () => { queueMicrotask(() => { throw new RangeError('micro'); }); return 'x'; },
  blank: () => { throw '\\n'; },
  deep: () => { const f = () => f() + 1; return String(f()); },
  never: () => new Promise(() => undefined),
  late: async (text) => { for (let i = 0; i < 10; i++) await null; return text; },
  rejects: async () => { throw new RangeError('too much'); },
  status: () => { throw { status: 409, message: 'taken' }; },
  server: () => { throw { status: 500, message: 'mine' }; },
  code: (text) => { throw { status: Number(text), message: 'mine' }; },
  nothing: () => { throw undefined; },
  number: () => 7,
  bytes: () => new Uint8Array(3),
  pollute() {
    Object.prototype.polluted = 'yes';
    Array.prototype.push = String.prototype.split = Promise.prototype.then = undefined;
    globalThis.JSON = undefined;
    shared.push = null;
    return 'done';
  },
  clean: () => String({}.polluted) + [1].push(2) + JSON.stringify('a b'.split(' ')) + shared.length,
  'long-log': () => { console.log('ab' + '\u20ac'.repeat(2000)); return ''; },
  looked: () => { throw { toString() { console.log('shown'); return 'InternalError: out of memory'; }, get stack() { console.log('read'); }, message: 'mine' }; },
  log: () => { console.log('one', { two: 2 }, new Error('three')); return ''; },
  type: (text, { operation, contentType }) => operation + ' ' + contentType,
  lone: () => 'a\\ud800b',
  random: () => String(Math.random()),
  fill: (text) => { const all = []; for (let i = 0; i < Number(text); i++) all.push(new Uint8Array(2 ** 20).fill(1)); return text; },
  time: () => String(Date.now() < 60_000) + new Date(0).getTimezoneOffset(),
};`;

/** The slowest machine has ended then. */
const LIMIT_MS = 60_000;
const HASTY_MS = 3_000;

let folder: string;
let runner: Runner;
/** Of the same service, for what never ends. */
let hasty: Runner;
const log: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-runner-'));
  writeFileSync(join(folder, 'hostile.js'), HOSTILE);
  ({ runner } = await openService(join(folder, 'hostile.js'), { limitMs: LIMIT_MS, onLog: (text) => log.push(text) }));
  ({ runner: hasty } = await openService(join(folder, 'hostile.js'), { limitMs: HASTY_MS, onLog: () => undefined }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ask = (operation: string, text = '', contentType?: string) => runner.request(operation, text, contentType);
const refused = (status: number, message: unknown) => ({ ok: false, status, message });

describe('a request', () => {
  test.each([
    ['memory', 413, 'the operation takes more memory than this service has'],
    ['late-memory', 413, 'the operation takes more memory than this service has'],
    ['large', 413, 'the operation takes more memory than this service has'],
    ['long', 413, 'the reply is longer than 1048576 bytes'],
    ['full', 413, 'the operation takes more memory than this service has'],
    ['nested', 400, 'Maximum call stack size exceeded'],
    ['microtask', 400, 'micro'],
    ['blank', 400, 'the operation threw an empty text'],
    ['deep', 400, 'Maximum call stack size exceeded'],
    ['never', 400, expect.stringContaining('never settles')],
    ['rejects', 400, 'too much'],
    ['status', 409, 'taken'],
    ['server', 400, 'mine'],
    ['nothing', 400, 'undefined'],
    ['number', 400, expect.stringContaining('returned a number, not a string')],
    ['bytes', 400, expect.stringContaining('bytes')],
  ])('that ends with an error, %s, leaves the next one a clean service', (operation, status, message) => {
    expect(ask(operation)).toEqual(refused(status, message));
    expect(ask('count')).toEqual({ ok: true, reply: '1' });
  });

  test.each([
    ['399', 400],
    ['400', 400],
    ['499', 499],
    ['500', 400],
    ['404.5', 400],
  ])('that throws the status %s ends with %i', (status, code) => {
    expect(ask('code', status)).toEqual(refused(code, 'mine'));
  });

  test.each(['loop', 'regexp'])(
    'that never ends, %s, is cut off, and leaves the next one a clean service',
    (operation) => {
      const message = expect.stringContaining('it was cut off after 3000 ms');
      expect(hasty.request(operation, '', undefined)).toEqual(refused(504, message));
      expect(hasty.request('count', '', undefined)).toEqual({ ok: true, reply: '1' });
    },
  );

  test('sees nothing of what the one before has left', () => {
    expect(ask('pollute')).toEqual({ ok: true, reply: 'done' });
    expect(ask('clean')).toEqual({ ok: true, reply: 'undefined2["a","b"]0' });
    expect([ask('count'), ask('count')]).toEqual([
      { ok: true, reply: '1' },
      { ok: true, reply: '1' },
    ]);
  });

  test('is awaited, and gets what the client has named', () => {
    expect(ask('late', 'ä€😀')).toEqual({ ok: true, reply: 'ä€😀' });
    expect(ask('type', '', 'text/csv')).toEqual({ ok: true, reply: 'type text/csv' });
  });

  test('has random numbers of its own', () => {
    expect(ask('random')).not.toEqual(ask('random'));
  });

  test('has the memory of a VM', () => {
    expect(ask('fill', '17')).toEqual({ ok: true, reply: '17' });
    expect(ask('fill', '18')).toEqual(refused(413, expect.stringContaining('more memory')));
  });

  test('has the time of a VM that has just booted, in UTC', () => {
    expect(ask('time')).toEqual({ ok: true, reply: 'true0' });
  });

  test('is replied to with whole characters', () => {
    expect(ask('lone')).toEqual({ ok: true, reply: 'a\ufffdb' });
  });

  test('writes to the log, with the places of the author', () => {
    log.length = 0;
    ask('log');
    expect(log).toEqual([expect.stringMatching(/^one \{ two: 2 \} Error: three\n\s+at log \(.*hostile\.js:\d+:\d+\)/)]);
  });
});

test('a text for the log is cut where a guest cuts it, between characters', () => {
  log.length = 0;
  ask('long-log');
  expect(log).toEqual([`ab${'\u20ac'.repeat(1364)}`]);
});

test('nothing of a value that was thrown is run to learn whether memory is lacking', () => {
  log.length = 0;
  expect(ask('looked')).toEqual(refused(400, 'mine'));
  expect(log).toEqual([]);
});

describe('state that is kept', () => {
  const KEPT = `let n = 0;
    export const state = 'kept';
    export default {
      count: () => String(++n),
      greedy: () => { for (const all = []; ; ) all.push(n++); },
      same: (text) => text,
      late: async (text) => text,
      failing: (text) => { queueMicrotask(() => { throw { status: 400, message: text }; }); return text; },
      refused: (text) => { throw { status: 404, message: text }; },
    };`;
  let kept: Runner;
  beforeAll(async () => {
    writeFileSync(join(folder, 'kept.js'), KEPT);
    ({ runner: kept } = await openService(join(folder, 'kept.js'), { limitMs: LIMIT_MS, onLog: () => undefined }));
  });

  test('is seen by the next request, until one takes all memory', () => {
    const count = () => kept.request('count', '', undefined);
    expect([count(), count()]).toMatchObject([{ reply: '1' }, { reply: '2' }]);
    expect(kept.request('greedy', '', undefined)).toMatchObject({ status: 413 });
    expect(count()).toMatchObject({ reply: '1' });
  });

  test.each([
    ['same', { ok: true }],
    ['late', { ok: true }],
    ['failing', { status: 400 }],
    ['refused', { status: 404 }],
  ])('does not fill up with what requests were given: %s', (operation, outcome) => {
    for (let time = 0; time < 60; time++) {
      expect(kept.request(operation, 'x'.repeat(500_000), undefined)).toMatchObject(outcome);
    }
  });
});

describe('a console shows', () => {
  const SHOWN: readonly (readonly [code: string, line: string])[] = [
    ['"a", 1, -0, 2n, null, undefined, true, Symbol("s")', 'a 1 -0 2n null undefined true Symbol(s)'],
    ['{ a: "b", list: [1, "c"] }', '{ a: "b", list: [1, "c"] }'],
    ['{ a: { b: { c: { d: 1 }, e: [1] } } }', '{ a: { b: { c: [object], e: [array] } } }'],
    ['(() => { const a = {}; a.self = a; return a; })()', '{ self: [circular] }'],
    ['Array.from({ length: 23 }, (_, i) => i)', `[${Array.from({ length: 20 }, (_, i) => i).join(', ')}, 3 more]`],
    ['new Map([["a", 1]]), new Set([1]), Uint8Array.of(1, 2)', 'Map(1) { "a" => 1 } Set(1) { 1 } Uint8Array(2) [1, 2]'],
    [
      'new Date(0), /x/g, () => 1, function named() {}',
      '1970-01-01T00:00:00.000Z /x/g [function (anonymous)] [function named]',
    ],
    ['Object.defineProperty({ get a() { return 1; } }, "hidden", { value: 1 })', '{ a: [getter] }'],
    ['new Date(NaN)', 'Invalid Date'],
    ['"%s is %d, %i or %f %% %j", "x", 1.5, 2.5, "3.5 m", [1], "rest"', 'x is 1.5, 2 or 3.5 % [1] rest'],
    ['"%s %d %c%o %O %d", { a: 1 }, 2n, "css", "x", Symbol("s")', '{ a: 1 } 2n "x" Symbol(s) %d'],
    ['"100%"', '100%'],
    ['"%d", { valueOf() { throw 1; } }', '[a value that cannot be shown]'],
    ['new Proxy({}, { getPrototypeOf() { throw 1; } }), "b"', '[a value that cannot be shown] b'],
  ];
  let shown: Runner;
  const lines: string[] = [];
  beforeAll(async () => {
    const operations = SHOWN.map(([code], at) => `o${at}: () => { console.log(${code}); return ''; }`);
    const others = `more: () => {
        console.dir({ a: 1 }, { depth: 0 }); console.table([{ a: 1 }]); console.group('g'); console.groupEnd();
        console.count(); console.count(); console.countReset(); console.count('x'); console.time(); console.timeEnd(); console.timeEnd();
        return '';
      },
      cause: () => { console.log(new Error('outer', { cause: new Error('inner', { cause: 7 }) })); return ''; },
      assert: () => { console.assert(true, 'no'); console.assert(0, 'so'); return ''; },
      answer: () => { throw Object.assign(new Error('a'), { status: 404 }); }, fault: () => { throw new Error('f'); }`;
    writeFileSync(join(folder, 'shown.js'), `export default { ${operations.join(', ')}, ${others} };`);
    const options = { limitMs: LIMIT_MS, onLog: (text: string) => lines.push(text) };
    ({ runner: shown } = await openService(join(folder, 'shown.js'), options));
  });
  const saidBy = (operation: string): readonly string[] => {
    lines.length = 0;
    shown.request(operation, '', undefined);
    return lines;
  };

  test.each(SHOWN.map(([code, line], at) => [code, line, at] as const))('%s', (_, line, at) => {
    expect(saidBy(`o${at}`)).toEqual([line]);
  });

  test('what else a program for Node calls of it', () => {
    expect(saidBy('more')).toEqual([
      ...['{ a: 1 }', '[{ a: 1 }]', 'g', 'default: 1', 'default: 2', 'x: 1'],
      expect.stringMatching(/^default: \d+ms$/),
    ]);
    expect(saidBy('cause')).toEqual([
      expect.stringMatching(/^Error: outer\n.*\ncaused by Error: inner\n.*\ncaused by 7$/),
    ]);
  });

  test('an assertion that fails, and what is thrown and no answer', () => {
    expect(saidBy('assert')).toEqual(['assertion failed so']);
    expect(saidBy('answer')).toEqual([]);
    expect(saidBy('fault')).toEqual([expect.stringMatching(/^fault: Error: f\n.*shown\.js/)]);
  });
});

test('a script that says where its lines stand in the files of its author has its stacks told so, and is not seen to say it', async () => {
  const path = join(folder, 'places.js');
  writeFileSync(
    path,
    `globalThis.shoalPlaces = 'a b.ts\\nc/d.ts\\n\\n1,0,1,2;3,1,100,1000;';
     export default { a: () => { console.log(new Error('x')); return typeof shoalPlaces; } };`,
  );
  const lines: string[] = [];
  const { runner: told } = await openService(path, { limitMs: LIMIT_MS, onLog: (text) => lines.push(text) });
  expect(told.request('a', '', undefined)).toEqual({ ok: true, reply: 'undefined' });
  expect(lines).toEqual([expect.stringMatching(/^Error: x\n +at a \(c\/d\.ts:10\d\)$/)]);
});

test('what a service has begun at its start has come to its end before the first request', async () => {
  const path = join(folder, 'late.js');
  writeFileSync(
    path,
    "let made;\nPromise.resolve().then(() => { made = 'made'; });\nexport default { a: () => String(made) };",
  );
  const { runner: late } = await openService(path, { limitMs: LIMIT_MS, onLog: () => undefined });
  expect(late.request('a', '', undefined)).toEqual({ ok: true, reply: 'made' });
});

test('each request of a kept state has its own outcome, whatever one before it still waits for', async () => {
  const path = join(folder, 'parked.js');
  writeFileSync(
    path,
    `let n = 0;
     let parked;
     export const state = 'kept';
     export default {
       a: () => String(++n),
       park: () => new Promise((resolve) => { parked = resolve; }),
       unpark: () => { parked('parked'); return 'unparked'; },
       microtask: () => { queueMicrotask(() => { throw new Error('late'); }); return 'x'; },
     };`,
  );
  const { runner: kept } = await openService(path, { limitMs: LIMIT_MS, onLog: () => undefined });
  expect([kept.request('a', '', undefined), kept.request('a', '', undefined)]).toMatchObject([
    { reply: '1' },
    { reply: '2' },
  ]);
  expect(kept.request('park', '', undefined)).toMatchObject({ status: 400 });
  expect(kept.request('unpark', '', undefined)).toEqual({ ok: true, reply: 'unparked' });
  expect(kept.request('microtask', '', undefined)).toEqual(refused(400, 'late'));
  expect(kept.request('a', '', undefined)).toMatchObject({ reply: '3' });
});

test('the log is told of promises that are rejected and that nobody waits for', async () => {
  const path = join(folder, 'rejected.js');
  writeFileSync(
    path,
    `Promise.reject(new Error('at the start'));
     export default {
       lost: async (text) => { void (async () => { await null; throw new Error('late'); })(); return text; },
       many: () => { for (let i = 0; i < 100; i++) Promise.reject(i); return 'x'; },
       caught: async (text) => { const p = Promise.reject(new Error('no')); await null; await p.catch(() => 0); return text; },
       own: async () => { throw Object.assign(new Error('an answer'), { status: 404 }); },
     };`,
  );
  const lines: string[] = [];
  const { runner: own } = await openService(path, { limitMs: LIMIT_MS, onLog: (text) => lines.push(text) });
  expect(lines.splice(0)).toEqual([
    expect.stringMatching(/^service: a promise was rejected that nobody waits for: Error: at the start\n/),
  ]);
  expect(own.request('lost', 'x', undefined)).toEqual({ ok: true, reply: 'x' });
  expect(lines.splice(0)).toEqual([
    expect.stringMatching(/^lost: a promise was rejected .*: Error: late\n.*rejected\.js:3/),
  ]);
  expect(own.request('many', 'x', undefined)).toEqual({ ok: true, reply: 'x' });
  expect(lines.splice(0)).toHaveLength(8);
  expect(own.request('caught', 'x', undefined)).toEqual({ ok: true, reply: 'x' });
  expect(own.request('own', 'x', undefined)).toEqual(refused(404, 'an answer'));
  expect(lines).toEqual([]);
});

test('bytes go in and out as they are', async () => {
  const path = join(folder, 'bytes.js');
  writeFileSync(
    path,
    "export const payload = 'bytes';\nexport default { a: (b) => b.map((x) => 255 - x), b: (b) => String(b.length), c: (b) => b.subarray(1, 3), gone: (b) => { b.buffer.transfer(); return b; }, late: (b) => { Promise.resolve().then(() => 0).then(() => b.buffer.transfer()); return b; } };",
  );
  const { runner: bytes } = await openService(path, { limitMs: LIMIT_MS, onLog: () => undefined });
  expect(bytes.request('a', Uint8Array.of(0, 128, 255), undefined)).toEqual({
    ok: true,
    reply: Uint8Array.of(255, 127, 0),
  });
  expect(bytes.request('b', new Uint8Array(300_000), undefined)).toEqual({ ok: true, reply: '300000' });
  expect(bytes.request('c', Uint8Array.of(1, 2, 3, 4), undefined)).toEqual({ ok: true, reply: Uint8Array.of(2, 3) });
  expect(bytes.request('b', new Uint8Array(1024 * 1024 + 1), undefined)).toMatchObject({ status: 413 });
  expect(bytes.request('gone', Uint8Array.of(1), undefined)).toEqual(refused(400, expect.stringContaining('detached')));
  expect(bytes.request('late', Uint8Array.of(1), undefined)).toEqual({ ok: true, reply: Uint8Array.of(1) });
});
