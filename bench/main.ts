import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isOnTmpfs } from '../src/process/mod.ts';
import { endLeft } from '../test/driver/end-left.ts';
import { killRunning } from '../test/driver/shoal-process.ts';
import { COMPARED_SUITES, compareCheckouts } from './checkouts.ts';
import type { Row } from './compare.ts';
import { type BenchOptions, benchOptions, EXIT_USAGE, helpText, UsageError } from './options.ts';
import { SUITES, type Suite } from './suites.ts';

/**
 * `npm run bench -- SUITE` prints one row per claim; `--help` shows the flags. However it ends, it leaves nothing
 * running.
 */
const ending = new AbortController();
const options = asked();
const suite = suiteOf(options);

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
const why = await Promise.race([measuring, interrupted(), after(options.minutes * 60_000)]);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
ending.abort();
await killRunning();
// The fleets have been ended; the suite now removes its folders.
await Promise.race([measuring, after(CLEAN_UP_MS)]);
endLeft();
if (madeHere !== undefined) rmSync(madeHere, { recursive: true, force: true });
if (why !== undefined) process.stderr.write(`bench: ended early: ${why}\n`);
process.exit(exitCode());

function exitCode(): number {
  if (why !== undefined) return 1;
  if (rows.length === 0) {
    process.stderr.write(`bench: no row of ${options.suite} has a name with ${JSON.stringify(options.only)} in it\n`);
    return EXIT_USAGE;
  }
  return options.strict && rows.some((row) => !row.holds) ? 1 : 0;
}

/** Ends the process for a call that asks for the help, or is wrong. */
function asked(): BenchOptions {
  const known = { suites: Object.keys(SUITES), compared: COMPARED_SUITES };
  try {
    const found = benchOptions(process.argv.slice(2), known);
    if (found !== 'help') return found;
    process.stdout.write(`${helpText(known)}\n`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}; \`npm run bench -- --help\` shows what it takes\n`);
    process.exit(EXIT_USAGE);
  }
}

function suiteOf({ suite: name, comparison, only }: BenchOptions): Suite {
  const chosen = SUITES[name];
  if (comparison === undefined && chosen !== undefined) return chosen;
  if (comparison === undefined) throw new Error(`the suite ${name} was checked above`);
  const head = resolve(import.meta.dirname, '..');
  return () => compareCheckouts({ ...comparison, head, only, signal: ending.signal });
}

/** @returns why it failed, if it did */
async function measured(chosen: Suite): Promise<string | undefined> {
  const { only } = options;
  try {
    for await (const row of chosen((name) => name.includes(only), options.images)) {
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
