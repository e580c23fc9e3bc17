/**
 * Adds up what `.ci/run` left in a folder: `NAME.exit` for each part, and `NAME.json`, vitest's report, for those that
 * are tests. Prints every failure, then the total as the last line.
 *
 * A part without a report counts as one check. What fails outside any test (a file that cannot be loaded, an error
 * that nobody caught, a report that was never written) counts as one failure: a red run never says "0 failed".
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts that consist of tests: each of them must have run at least one. */
const TEST_PARTS = ['test', 'long', 'shards-0', 'shards-2'];

/** @typedef {{ passed: number, skipped: number, failures: string[] }} Result */
/** @typedef {{ status: string, fullName: string }} Assertion as vitest reports it; one that did not run is `pending`, `skipped` or `todo` */
/** @typedef {{ name: string, status: string, assertionResults: Assertion[] }} TestFile */

const folder = process.argv[2] ?? '.ci/out';
const parts = readdirSync(folder).flatMap((file) => (file.endsWith('.exit') ? [file.slice(0, -'.exit'.length)] : []));
const results = parts.map(resultOf);

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const skipped = results.reduce((sum, result) => sum + result.skipped, 0);
const failures = results.flatMap((result) => result.failures);
if (parts.length === 0) failures.push('nothing ran');

for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failures.length > 0 ? 1 : 0;

/**
 * @param {string} part
 * @returns {Result}
 */
function resultOf(part) {
  const exit = Number(readFileSync(join(folder, `${part}.exit`), 'utf8'));
  const ended = exit === 124 || exit === 137 ? 'was ended: it took too long' : `ended with exit code ${exit}`;
  if (!TEST_PARTS.includes(part)) {
    return exit === 0
      ? { passed: 1, skipped: 0, failures: [] }
      : { passed: 0, skipped: 0, failures: [`${part}: ${ended}`] };
  }
  const result = fromReport(part);
  if (result.passed + result.failures.length === 0) result.failures.push(`${part}: no test ran`);
  if (exit !== 0 && result.failures.length === 0) result.failures.push(`${part}: ${ended}`);
  return result;
}

/**
 * @param {string} part
 * @returns {Result}
 */
function fromReport(part) {
  const path = join(folder, `${part}.json`);
  if (!existsSync(path)) return { passed: 0, skipped: 0, failures: [`${part}: wrote no report`] };
  /** @type {{ testResults: TestFile[] }} */
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const failed = tests.filter((test) => test.status === 'failed');
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = tests.filter((test) => test.status === 'passed').length;
  return {
    passed,
    skipped: tests.length - passed - failed.length,
    failures: [
      ...failed.map((test) => `${part}: ${test.fullName}`),
      ...brokenFiles.map((file) => `${part}: ${file.name} could not be run to its end`),
    ],
  };
}
