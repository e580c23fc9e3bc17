// What the README's example answers on the host:  node example.test.mjs PATH/TO/example_cli
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

const run = (operation, text) => {
  const { status, stdout, stderr } = spawnSync(process.argv[2], [operation], { input: text, maxBuffer: 1 << 26 });
  return { status, answer: stdout.toString(), error: stderr.toString() };
};

assert.deepEqual(run('greet', 'Welt größer'), { status: 0, answer: 'Hello, Welt größer!', error: '' });
assert.deepEqual(run('', 'World'), { status: 0, answer: 'Hello, World!', error: '' });
assert.deepEqual(run('greet', ''), { status: 1, answer: '', error: '400 expected a name' });
assert.deepEqual(run('rot13', 'Hello, Żółw z'), { status: 0, answer: 'Uryyb, Żółj m', error: '' });
const long = 'abcXYZ '.repeat(200_000);
assert.ok(run('rot13', long).answer === 'nopKLM '.repeat(200_000));
assert.deepEqual(run('upper', 'x'), { status: 1, answer: '', error: '404 unknown operation "upper"' });
console.log("the README's example answers as it should");
