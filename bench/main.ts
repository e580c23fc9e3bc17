import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isOnTmpfs } from '../src/process/mod.ts';
import { endLeft } from '../test/driver/end-left.ts';
import { killRunning } from '../test/driver/shoal-process.ts';
import { COMPARED_SUITES, compareCheckouts } from './checkouts.ts';
import type { Row } from './compare.ts';
import { SUITES, type Suite } from './suites.ts';

/**
 * `npm run bench -- SUITE [--json FILE] [--only TEXT] [--minutes LIMIT]` prints one row per claim. It exits with 1 if the time limit is exceeded,
 * or with --strict if a claim does not hold. However it ends, it leaves nothing running.
 *
 * `npm run bench -- compare [SUITE] --base DIR [--pairs N]` measures this checkout beside another: see `checkouts.ts`.
 */
const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    strict: { type: 'boolean' },
    minutes: { type: 'string' },
    base: { type: 'string' },
    pairs: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});
const ending = new AbortController();
const isComparison = positionals[0] === 'compare';
const suite = isComparison ? checkoutsSuite(positionals[1]) : SUITES[positionals[0] ?? 'main'];
if (suite === undefined) {
  process.stderr.write(
    `there is no suite "${positionals[0]}"; there are ${[...Object.keys(SUITES), 'compare'].join(', ')}\n`,
  );
  process.exit(2);
}
const minutes = Number(values.minutes ?? (isComparison ? 180 : 20));

/** A tmpfs, as /run is on every Debian host. On a disk, the creation of files would be part of the figures. */
const madeHere =
  process.env['SHOAL_RUNTIME_DIR'] === undefined && !isOnTmpfs('/run') ? mkdtempSync('/dev/shm/shoal-') : undefined;
if (madeHere !== undefined) {
  process.env['SHOAL_RUNTIME_DIR'] = madeHere;
  process.stderr.write(`bench: /run is on no tmpfs here, so run directories are in ${madeHere}\n`);
}

const CLEAN_UP_MS = 15_000;
const rows: Row[] = [];
const measuring = measured(suite);
const why = await Promise.race([measuring, interrupted(), after(minutes * 60_000)]);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
ending.abort();
await killRunning();
// The fleets have been ended; the suite now removes its folders.
await Promise.race([measuring, after(CLEAN_UP_MS)]);
endLeft();
if (madeHere !== undefined) rmSync(madeHere, { recursive: true, force: true });
if (why !== undefined) process.stderr.write(`bench: ended early: ${why}\n`);
process.exit(why !== undefined || (values.strict === true && rows.some((row) => !row.holds)) ? 1 : 0);

function checkoutsSuite(named: string | undefined): Suite {
  const { base, only = '', pairs } = values;
  if (base === undefined || (named !== undefined && !COMPARED_SUITES.includes(named))) {
    process.stderr.write(
      `expected compare [${COMPARED_SUITES.join('|')}] --base DIR, another checkout that is set up\n`,
    );
    process.exit(2);
  }
  const suites = named === undefined ? COMPARED_SUITES : [named];
  const head = resolve(import.meta.dirname, '..');
  return () =>
    compareCheckouts({ base: resolve(base), head, suites, only, pairs: Number(pairs), signal: ending.signal });
}

/** @returns why it failed, if it did */
async function measured(chosen: Suite): Promise<string | undefined> {
  const { only = '' } = values;
  try {
    for await (const row of chosen((name) => name.includes(only))) {
      rows.push(row);
      process.stdout.write(`${lineOf(row)}\n`);
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function interrupted(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

function after(ms: number): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(`it was not done within ${ms / 60_000} minutes`), ms);
  });
}

function lineOf({ name, value, unit, baseline, ratio, spread, goal, holds }: Row): string {
  const [low, high] = spread;
  const figures = `${value} ${unit}, baseline ${baseline} ${unit}, ratio ${ratio} (${low} to ${high}; aim ${goal})`;
  return `${holds ? 'holds ' : 'MISSES'} ${name}: ${figures}`;
}
