import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEASURED_CHECKOUT } from './actors/measured-checkout.ts';
import { median, type Row, rowOf } from './compare.ts';
import { EXIT_USAGE } from './options.ts';

/** Rows that one run of `bench/main.ts` measures together, by a text in their names. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  main: [
    'start-from-nothing',
    'start-from-spare',
    'one-at-a-time',
    'requests-per-second',
    'thirty-at-once',
    'memory',
    'idle-cpu',
  ],
  actors: ['tell-among', 'tell-beside', 'ask-beside', 'ask-100-', 'ask-1000-', 'ring', 'fan', 'spawn', 'bytes'],
};

/** A row that costs more than this share of what it cost has become worse. */
const WORSE_AT_MOST = 1.03;

export interface CheckoutsOptions {
  /** The folder of the other checkout, which is set up: node_modules, guest image. */
  readonly base: string;
  /** The folder of this checkout. */
  readonly head: string;
  readonly suites: readonly string[];
  /** Selects the rows whose names contain it; empty selects all. */
  readonly only: string;
  /** How often each checkout measures each row. */
  readonly pairs: number;
  readonly signal: AbortSignal;
}

/** One row, measured by both checkouts one after the other. */
export interface Pair {
  readonly base: Row;
  readonly head: Row;
}

/**
 * Measures the rows of this checkout and of another alternately, A B B A.
 * @throws Error if the bench of a checkout fails
 */
export async function* compareCheckouts(options: CheckoutsOptions): AsyncIterable<Row> {
  const { base, head, suites, only, pairs, signal } = options;
  for (const suite of suites) {
    for (const group of groupsOf(suite, only)) {
      const measured = new Map<string, Pair[]>();
      for (let pair = 0; pair < pairs; pair++) {
        const [first, second] = pair % 2 === 0 ? [base, head] : [head, base];
        const rows = {
          [first]: await rowsOf(benchOf(suite, first, head), suite, group, signal),
          [second]: await rowsOf(benchOf(suite, second, head), suite, group, signal),
        };
        for (const headRow of rows[head] ?? []) {
          const baseRow = rows[base]?.find(({ name }) => name === headRow.name);
          if (baseRow === undefined) continue;
          measured.set(headRow.name, [...(measured.get(headRow.name) ?? []), { base: baseRow, head: headRow }]);
        }
      }
      for (const taken of measured.values()) yield pairsRow(taken);
    }
  }
}

/** A bench, and the checkout that it measures. */
interface Bench {
  /** The folder of the checkout that it is part of. */
  readonly home: string;
  readonly measured: string;
}

/**
 * The bench of this checkout measures the actors of both. With a bench each, a change of what an actor does, or of how
 * a peer is used, would be part of the figures. The other suites start programs of their own checkout.
 */
export function benchOf(suite: string, checkout: string, head: string): Bench {
  return { home: suite === 'actors' ? head : checkout, measured: checkout };
}

/** The groups to run; `only` may also name a single row of a group. */
export function groupsOf(suite: string, only: string): readonly string[] {
  const groups = GROUPS[suite] ?? [];
  const wanted = groups.filter((group) => group.includes(only));
  if (wanted.length > 0) return wanted;
  return groups.some((group) => only.startsWith(group)) ? [only] : [];
}

export const COMPARED_SUITES = Object.keys(GROUPS);

/**
 * The cost of a row in this checkout, as a share of its cost in the other: above 1 if it has become worse. Each cost is first divided by that
 * of the row's own peer from the same run, because other load on the machine affects both.
 */
export function pairsRow(pairs: readonly Pair[]): Row {
  const rounds = pairs.map(({ base, head }) => ({ ours: costOf(head), baseline: costOf(base) }));
  const [{ name, unit } = { name: '', unit: '' }] = pairs.map(({ head }) => head);
  return {
    ...rowOf({ name, unit, goal: { atMost: WORSE_AT_MOST } }, rounds),
    value: median(pairs.map(({ head }) => head.value)),
    baseline: median(pairs.map(({ base }) => base.value)),
  };
}

/** If the aim of a row is a minimum, more is better. */
function costOf({ ratio, goal }: Row): number {
  return goal.startsWith('>') ? 1 / ratio : ratio;
}

async function rowsOf(
  { home, measured }: Bench,
  suite: string,
  only: string,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  const file = join(folder, 'rows.json');
  try {
    const args = [join(home, 'bench', 'main.ts'), suite, '--only', only, '--json', file];
    const child = spawn(join(home, 'bin', 'node'), args, {
      cwd: home,
      env: { ...process.env, [MEASURED_CHECKOUT]: measured },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    // The bench ends everything it has started, then itself.
    const end = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', end);
    const [exitCode] = await once(child, 'close');
    signal.removeEventListener('abort', end);
    signal.throwIfAborted();
    // The other checkout may not have these rows, or not yet.
    if (exitCode === EXIT_USAGE) return [];
    if (exitCode !== 0) throw new Error(`the bench of ${measured} ended with ${exitCode} at ${suite} ${only}`);
    // Every version of the bench writes rows in this form.
    return JSON.parse(readFileSync(file, 'utf8')) as Row[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
