/** WebAssembly modules as guests. What they do is tested beside them; here it is part of the whole. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '..', 'includeos', 'test', 'wasm');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

test.each([
  ['every instruction computes what it does in Node, and hostile modules harm nobody', 'wasm.test.mjs'],
  ['what a module may import and must export', 'imports.test.mjs'],
  ['services in AssemblyScript and C, as the guide shows them', 'languages.test.mjs'],
])('%s', async (_, file) => {
  const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
  const { stdout } = await run(process.execPath, ['--test', '--test-concurrency=1', join(FOLDER, file)], {
    env: { ...process.env, PATH: path },
    maxBuffer: OUTPUT_BYTES_MAX,
  }).catch(
    // What failed stands in the output only.
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }),
  );
  expect(stdout).toMatch(/fail 0\b/);
  expect(stdout).not.toMatch(/pass 0\b/);
});
