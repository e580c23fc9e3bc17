import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What a call of the benchmark asks for. */
export interface BenchOptions {
  /** A suite, or `compare`. */
  readonly suite: string;
  /** The suites that two checkouts run, and the folder of the other one; undefined for a suite. */
  readonly comparison:
    | { readonly suites: readonly string[]; readonly base: string; readonly pairs: number }
    | undefined;
  readonly json: string | undefined;
  readonly only: string;
  readonly strict: boolean;
  readonly minutes: number;
  /** Further guests, for the suite guests. */
  readonly images: readonly string[];
}

export interface Known {
  readonly suites: readonly string[];
  /** The suites that `compare` can run. */
  readonly compared: readonly string[];
}

/** Of a wrong call, and of one that asks for rows that are not there. */
export const EXIT_USAGE = 2;

/** A wrong call: the message is all that a user needs. */
export class UsageError extends Error {}

const SUITE_DEFAULT = 'main';
const MINUTES = { suite: 20, compare: 180 };
const PAIRS = 3;
const IMAGES_SUITE = 'guests';
const COMPARE_FLAGS = ['base', 'pairs'] as const;

export function helpText({ suites, compared }: Known): string {
  return `npm run bench -- [SUITE] [flags]
npm run bench -- compare [SUITE] --base DIR [flags]

Measures each claim beside a peer in the same run, and prints one row per claim. compare measures the rows of
this checkout and of another one alternately. docs/performance.md explains the rows.

SUITE is one of ${suites.join(', ')} (default: ${SUITE_DEFAULT}); for compare, ${compared.join(' or ')} (default: both).

  --only TEXT      only the rows whose names contain TEXT
  --json FILE      write the rows there, too
  --strict         exit with 1 if a row misses its aim
  --minutes N      end after so long (default: ${MINUTES.suite}; compare: ${MINUTES.compare})
  --base DIR       compare: the other checkout, which is set up
  --image FILE     guests: a further image, by the profile beside it; may be repeated
  --pairs N        compare: how often each checkout measures each row (default: ${PAIRS})
  -h, --help       this text

Exit code: 0 success, 1 failure (or a missed aim with --strict), 2 a wrong call.`;
}

/** @returns `help` if the call asks for it @throws UsageError naming the value and what is allowed */
export function benchOptions(args: readonly string[], known: Known): BenchOptions | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help === true) return 'help';
  const [suite = SUITE_DEFAULT, ...words] = positionals;
  const isComparison = suite === 'compare';
  if (!isComparison && !known.suites.includes(suite)) {
    throw new UsageError(`there is no suite ${quoted(suite)}; there are ${[...known.suites, 'compare'].join(', ')}`);
  }
  const extra = words[isComparison ? 1 : 0];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${quoted(extra)}`);
  if (!isComparison) {
    const foreign = COMPARE_FLAGS.find((flag) => values[flag] !== undefined);
    if (foreign !== undefined) throw new UsageError(`--${foreign} is for compare, not for the suite ${suite}`);
  }
  const images = values.image ?? [];
  if (images.length > 0 && suite !== IMAGES_SUITE) {
    throw new UsageError(`--image is for the suite ${IMAGES_SUITE}, not for ${suite}`);
  }
  return {
    suite,
    images,
    comparison: isComparison ? comparisonOf(words[0], values, known) : undefined,
    json: values.json === undefined ? undefined : fileIn(values.json),
    only: values.only ?? '',
    strict: values.strict === true,
    minutes: number('minutes', values.minutes, isComparison ? MINUTES.compare : MINUTES.suite, /^\d+(\.\d+)?$/),
  };
}

type Values = ReturnType<typeof parsed>['values'];

function comparisonOf(suite: string | undefined, values: Values, { compared }: Known): BenchOptions['comparison'] {
  if (suite !== undefined && !compared.includes(suite)) {
    throw new UsageError(`compare runs ${compared.join(' or ')}, not ${quoted(suite)}`);
  }
  const { base, pairs } = values;
  if (base === undefined) throw new UsageError('compare needs --base DIR, another checkout that is set up');
  if (!isFolder(resolve(base, 'bench'))) throw new UsageError(`--base ${quoted(base)} is no checkout of Shoal`);
  return {
    suites: suite === undefined ? compared : [suite],
    base: resolve(base),
    pairs: number('pairs', pairs, PAIRS, /^\d+$/),
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    json: text,
    only: text,
    strict: { type: 'boolean' },
    minutes: text,
    base: text,
    pairs: text,
    image: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node adds its own advice after the first sentence or line.
    throw new UsageError(error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? '') : String(error));
  }
}

function number(flag: string, value: string | undefined, otherwise: number, form: RegExp): number {
  if (value === undefined) return otherwise;
  if (form.test(value) && Number(value) > 0) return Number(value);
  throw new UsageError(`expected --${flag} to be a number above 0, got ${quoted(value)}`);
}

/** A run of minutes should not end with the news that its rows cannot be written. */
function fileIn(file: string): string {
  if (file === '' || !isFolder(dirname(resolve(file))) || isFolder(file)) {
    throw new UsageError(`expected --json to be a file in a folder that exists, got ${quoted(file)}`);
  }
  return file;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function quoted(value: string): string {
  return JSON.stringify(value);
}
