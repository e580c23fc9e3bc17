import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const PASSED = { status: 'passed', fullName: 'pool gives out an address' };
const FAILED = { status: 'failed', fullName: 'pool takes it back' };
const SKIPPED = { status: 'pending', fullName: 'pool on a machine without KVM' };

test('adds the tests of all parts, and counts every other part as one check', async () => {
  const { code, lastLine } = await total({
    'check.exit': '0',
    'test.exit': '0',
    'test.json': report([PASSED, PASSED, SKIPPED]),
    'long.exit': '0',
    'long.json': report([PASSED]),
  });

  expect(lastLine).toBe('4 passed, 0 failed, 1 skipped');
  expect(code).toBe(0);
});

test('names what failed', async () => {
  const { code, output, lastLine } = await total({
    'check.exit': '1',
    'test.exit': '1',
    'test.json': report([PASSED, FAILED]),
  });

  expect(output).toContain('FAILED check: ended with exit code 1');
  expect(output).toContain('FAILED test: pool takes it back');
  expect(lastLine).toBe('1 passed, 2 failed');
  expect(code).toBe(1);
});

test.each([
  ['a part that was ended because it took too long', { 'check.exit': '124' }],
  ['tests that ended without a report', { 'test.exit': '137' }],
  ['a report without a test', { 'test.exit': '0', 'test.json': report([]) }],
  ['a report of nothing but skipped tests', { 'test.exit': '0', 'test.json': report([SKIPPED]) }],
  ['a test file that cannot be loaded', { 'test.exit': '1', 'test.json': report([], 'failed') }],
  ['an error that no test caught', { 'test.exit': '1', 'test.json': report([PASSED]) }],
  ['nothing at all', {}],
])('counts as one failure: %s', async (_what, files) => {
  const { code, lastLine } = await total(files);

  expect(lastLine).toMatch(/^[01] passed, 1 failed/);
  expect(code).toBe(1);
});

function report(assertionResults: readonly { status: string; fullName: string }[], status = 'passed'): string {
  return JSON.stringify({ testResults: [{ name: 'src/fleet/pool.test.ts', status, assertionResults }] });
}

/** Runs the script on a folder of such files. */
function total(files: Readonly<Record<string, string>>): Promise<{ code: number; output: string; lastLine: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-ci-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return new Promise((resolve) => {
    execFile(process.execPath, ['.ci/total.mjs', folder], { timeout: 15_000 }, (error, output) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, output, lastLine: output.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}
