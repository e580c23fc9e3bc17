// Services in AssemblyScript and C, as docs/wasm-services.md shows them:  node --test includeos/test/wasm/languages.test.mjs
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { templateOf } from '../../../src/app/services/templates.ts';
import { FrameType } from '../guest.mjs';
import { build, temporaryFolder, withGuest } from './build.mjs';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(here('../../../docs/wasm-services.md'), 'utf8');

const template = templateOf('wasm', 'hello', { dependency: '0.0.0', command: 'shoal', isCheckout: true });

/** Writes the block of code whose first line names it; `more` stands behind it. */
function writeExample(name, more = '') {
  const block = page.split(/^```/m).find((text) => text.split('\n')[1] === `// ${name}`);
  assert.ok(block, `${name} in docs/wasm-services.md`);
  writeFileSync(join(folder.path, name), block.slice(block.indexOf('\n') + 1) + more);
}

/** The line of the page that begins with that program, as its words. */
function commandOf(program) {
  return page
    .split('\n')
    .find((line) => line.startsWith(`    ${program} `))
    .trim()
    .split(' ');
}

function must(program, args, cwd = folder.path) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  assert.equal(status, 0, stdout + stderr);
}

test('in AssemblyScript', async () => {
  // The compiler has 100 MB, so it is no package of the project.
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(here(`assemblyscript/${name}`), join(folder.path, name));
  must('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts']);
  copyFileSync(here('../../wasm/sdk/shoal.ts'), join(folder.path, 'shoal.ts'));
  writeExample(
    'service.ts',
    `
import { bytesOf, replyBytes } from './shoal';
export { shoal_keeps_state } from './shoal';
let count = 0;
export function shoal_op_count(at: usize, size: i32): u64 { return reply((++count).toString()); }
export function shoal_op_bytes(at: usize, size: i32): u64 { return replyBytes(bytesOf(at, size).reverse()); }
export function shoal_op_throws(at: usize, size: i32): u64 { throw new Error(textOf(at, size)); }
export function shoal_op_prints(at: usize, size: i32): u64 { console.log('printed: ' + textOf(at, size)); return reply(''); }
export function shoal_op_numbers(at: usize, size: i32): u64 {
  return reply([Math.sqrt(6.25), Math.sin(1), Math.floor(-0.5), f64.NaN].join(' ') + (Math.random() < 1 && Date.now() > 0 ? ' yes' : ' no'));
}
export function shoal_op_garbage(at: usize, size: i32): u64 {
  let last = '';
  for (let i = 0; i < 100000; i++) last = i.toString() + textOf(at, size);
  return reply(last);
}
export function shoal_op_hoards(at: usize, size: i32): u64 {
  const all: ArrayBuffer[] = [];
  while (true) all.push(new ArrayBuffer(100000));
}
`,
  );
  must(join('node_modules', '.bin', 'asc'), commandOf('asc').slice(1));
  await withGuest({ image: build(join(folder.path, 'service.wasm')) }, async (guest, client) => {
    const ask = async (operation, text) => (await client.ask(operation, text)).payload;
    const [ready] = await guest.ready();
    assert.match(ready, / idempotent=1 ops=upper,words,count,bytes,throws,prints,numbers,garbage,hoards\n/);
    assert.equal(await ask('', 'größer ß'), 'GRÖSSER SS');
    assert.equal(await ask('words', 'a b c'), '3');
    assert.equal(await ask('words', ''), '400 expected words');
    assert.equal(await ask('bytes', 'abc'), 'cba');
    assert.equal(await ask('numbers', ''), `2.5 ${Math.sin(1)} -1.0 NaN yes`);
    assert.equal(await ask('garbage', 'x'), '99999x');
    assert.equal(await ask('prints', 'żółw 🐢'), '');
    assert.equal(await ask('count', ''), '1');
    assert.equal(await ask('count', ''), '2');
    assert.equal(await ask('throws', 'böse'), '500 the module aborted: böse');
    assert.equal(await ask('hoards', ''), '413 the module has no more memory for this text');
    assert.equal(await ask('count', ''), '1');
    const text = 'word '.repeat(20_000);
    assert.equal(await ask('words', text), '20000');
    assert.ok((await ask('upper', text)) === text.toUpperCase());
    await guest.seen(/\nprinted: /);
    const seen = Buffer.from(guest.output, 'latin1').toString();
    assert.match(seen, /\nprinted: żółw 🐢\n/);
    assert.match(seen, /\nabort: böse at service\.ts:\d+:\d+\n/);
  });
});

const hasClang = ['clang', 'wasm-ld'].every((program) => spawnSync(program, ['--version']).status === 0);

test('a new service in AssemblyScript, with the compiler that the test before has brought', async () => {
  for (const [name, text] of Object.entries(template.files)) {
    mkdirSync(join(folder.path, 'new', name, '..'), { recursive: true });
    writeFileSync(join(folder.path, 'new', name), text);
  }
  const { scripts } = JSON.parse(template.files['package.json']);
  const [program, ...args] = scripts.build.split(' ');
  assert.equal(program, 'asc');
  must(join(folder.path, 'node_modules', '.bin', 'asc'), args, join(folder.path, 'new'));
  await withGuest({ image: build(join(folder.path, 'new', 'hello.wasm')) }, async (guest, client) => {
    const [ready] = await guest.ready();
    assert.match(ready, / idempotent=1 ops=upper\n/);
    assert.equal((await client.ask('', 'größer')).payload, 'GRÖSSER');
    assert.equal((await client.ask('upper', '')).payload, '400 expected a text');
  });
});

test('bytes in AssemblyScript, which the test before has brought', async () => {
  writeFileSync(
    join(folder.path, 'bytes.ts'),
    `import { bytesOf, replyBytes, reply, requestType, setReplyType } from './shoal';
export { shoal_alloc, shoal_payload_bytes } from './shoal';
export function shoal_op_reverse(at: usize, size: i32): u64 {
  const type = requestType();
  setReplyType(type == '' ? 'x/none' : type + '+reversed');
  return replyBytes(bytesOf(at, size).reverse());
}
export function shoal_op_refused(at: usize, size: i32): u64 { return reply(setReplyType('größe').toString()); }
`,
  );
  must(join('node_modules', '.bin', 'asc'), ['bytes.ts', '--outFile', 'bytes.wasm', '--optimize']);
  await withGuest({ image: build(join(folder.path, 'bytes.wasm')) }, async (_guest, client) => {
    const ask = async (operation, contentType, bytes) => {
      const payload = Buffer.from(bytes);
      client.send({ type: FrameType.typedRequest, id: client.nextId++, operation, contentType, payload });
      const { contentType: named, bytes: replied } = await client.receive();
      return [named, replied];
    };
    assert.deepEqual(await ask('reverse', 'a/b', [1, 0xff, 0]), ['a/b+reversed', Buffer.from([0, 0xff, 1])]);
    assert.deepEqual(await ask('reverse', '', [0x80]), ['x/none', Buffer.from([0x80])]);
    assert.deepEqual(await ask('refused', '', []), ['', Buffer.from('false')]);
  });
});

test('in C', { skip: !hasClang && 'there is no clang with lld' }, async () => {
  copyFileSync(here('../../wasm/sdk/shoal.h'), join(folder.path, 'shoal.h'));
  writeExample(
    'service.c',
    `
static unsigned count;
static shoal_result counts(shoal_text text) {
  (void)text;
  static char digit;
  digit = (char)('0' + ++count);
  return shoal_reply(&digit, 1);
}
static shoal_result hoards(shoal_text text) {
  while (shoal_allocate(100000) != 0) {
  }
  return shoal_refuse(413, text.size == 0 ? "all" : "it");
}
SHOAL_OPERATION("count.up", counts)
SHOAL_OPERATION("hoards", hoards)
`,
  );
  const [program, ...args] = commandOf('clang');
  must(program, ['-Wall', '-Wextra', '-Werror', ...args]);
  await withGuest({ image: build(join(folder.path, 'service.wasm')) }, async (guest, client) => {
    const ask = async (operation, text) => (await client.ask(operation, text)).payload;
    const [ready] = await guest.ready();
    assert.match(ready, / idempotent=1 ops=shout,count\.up,hoards\n/);
    assert.equal(await ask('shout', 'grün'), 'grün!');
    assert.equal(await ask('shout', ''), '400 expected a text');
    const text = 'x'.repeat(1_000_000);
    assert.ok((await ask('shout', text)) === `${text}!`);
    for (let i = 0; i < 2; i++) assert.equal(await ask('count.up', ''), '1');
    assert.equal(await ask('hoards', ''), '413 all');
    assert.equal(await ask('hoards', 'x'), '413 it');
  });
});
