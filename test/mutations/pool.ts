import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a worker tells. */
export type Report =
  | { readonly kind: 'ready'; readonly failed: readonly string[] }
  | { readonly kind: 'judged'; readonly index: number; readonly failed: readonly string[] };

/** How a mutation ended: the tests that caught it, or none. */
export interface Verdict {
  readonly index: number;
  readonly caughtBy: readonly string[];
}

const HOME = fileURLToPath(new URL('../..', import.meta.url));
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** What the tests of `src/fleet` read. */
const COPIED = [
  ...['src/actors', 'src/fleet', 'src/errors.ts', 'src/small-map.ts'],
  ...['test/fast-check.ts', 'package.json', 'tsconfig.json'],
];
/** A mutation may run into an endless loop. No machine is so slow that the tests take this long. */
const JUDGE_MS_MAX = 120_000;
/** A loop that never ends is not to take all memory. */
const HEAP_MB_MAX = 512;

/** Judges mutations in a few processes, each on a copy of the sources. */
export async function judgeAll(indexes: readonly number[], workers: number): Promise<readonly Verdict[]> {
  const todo = [...indexes];
  const verdicts: Verdict[] = [];
  await Promise.all(Array.from({ length: workers }, () => work(todo, verdicts)));
  return verdicts;
}

async function work(todo: number[], verdicts: Verdict[]): Promise<void> {
  while (todo.length > 0) {
    const folder = copySources();
    try {
      await workUntilExit(folder, todo, verdicts);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** One worker judges until nothing is left, or a mutation takes it down, which has then been caught. */
function workUntilExit(folder: string, todo: number[], verdicts: Verdict[]): Promise<void> {
  const worker = startWorker(folder);
  let index: number | undefined;
  let limit: NodeJS.Timeout | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = (): void => {
    clearTimeout(limit);
    index = todo.shift();
    if (index === undefined) return void worker.kill();
    worker.send(index);
    limit = setTimeout(() => worker.kill('SIGKILL'), JUDGE_MS_MAX);
  };
  worker.on('message', (report: Report) => {
    if (report.kind === 'judged') verdicts.push({ index: report.index, caughtBy: report.failed });
    else if (report.failed.length > 0) reject(new Error(`without a mutation these fail: ${report.failed.join('; ')}`));
    if (report.kind === 'judged' || report.failed.length === 0) next();
    else worker.kill();
  });
  worker.on('error', reject);
  worker.on('exit', (code) => {
    clearTimeout(limit);
    if (index !== undefined) verdicts.push({ index, caughtBy: ['the tests did not end'] });
    else if (todo.length > 0) reject(new Error(`a worker ended with ${code} before its first mutation`));
    resolve();
  });
  return promise;
}

function startWorker(folder: string): ChildProcess {
  // A vitest within a vitest is to know nothing of the outer one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  return fork(WORKER, [folder], {
    env: { ...env, FC_SEED: '1' },
    execArgv: [`--max-old-space-size=${HEAP_MB_MAX}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function copySources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-mutations-'));
  mkdirSync(join(folder, 'test'));
  for (const path of COPIED) cpSync(join(HOME, path), join(folder, path), { recursive: true });
  symlinkSync(join(HOME, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
