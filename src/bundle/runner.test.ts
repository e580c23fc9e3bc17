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
  log: () => { console.log('one', { two: 2 }, new Error('three')); return ''; },
  type: (text, { operation, contentType }) => operation + ' ' + contentType,
  lone: () => 'a\\ud800b',
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
    ['number', 400, expect.stringContaining('returned number, not a string')],
    ['bytes', 400, expect.stringContaining('bytes')],
  ])('that ends with an error, %s, leaves the next one a clean service', (operation, status, message) => {
    expect(ask(operation)).toEqual(refused(status, message));
    expect(ask('count')).toEqual({ ok: true, reply: '1' });
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

test('state that is kept is seen by the next request', async () => {
  const path = join(folder, 'kept.js');
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
  // And each request has its own outcome, whatever one before it still waits for.
  expect(kept.request('park', '', undefined)).toMatchObject({ status: 400 });
  expect(kept.request('unpark', '', undefined)).toEqual({ ok: true, reply: 'unparked' });
  expect(kept.request('microtask', '', undefined)).toEqual(refused(400, 'late'));
  expect(kept.request('a', '', undefined)).toMatchObject({ reply: '3' });
});

test('bytes go in and out as they are', async () => {
  const path = join(folder, 'bytes.js');
  writeFileSync(
    path,
    "export const payload = 'bytes';\nexport default { a: (b) => b.map((x) => 255 - x), b: (b) => String(b.length), gone: (b) => { b.buffer.transfer(); return b; }, late: (b) => { Promise.resolve().then(() => 0).then(() => b.buffer.transfer()); return b; } };",
  );
  const { runner: bytes } = await openService(path, { limitMs: LIMIT_MS, onLog: () => undefined });
  expect(bytes.request('a', Uint8Array.of(0, 128, 255), undefined)).toEqual({
    ok: true,
    reply: Uint8Array.of(255, 127, 0),
  });
  expect(bytes.request('b', new Uint8Array(300_000), undefined)).toEqual({ ok: true, reply: '300000' });
  expect(bytes.request('b', new Uint8Array(1024 * 1024 + 1), undefined)).toMatchObject({ status: 413 });
  expect(bytes.request('gone', Uint8Array.of(1), undefined)).toEqual(refused(400, expect.stringContaining('detached')));
  expect(bytes.request('late', Uint8Array.of(1), undefined)).toEqual({ ok: true, reply: Uint8Array.of(1) });
});
