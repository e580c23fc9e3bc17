import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AREAS, type AreaName } from './all.ts';
import type { Mutation } from './mutation.ts';

/** What a worker tells. */
export type Report =
  | { readonly kind: 'ready'; readonly failed: readonly string[] }
  | { readonly kind: 'judged'; readonly index: number; readonly failed: readonly string[] };

/** How a mutation ended: the tests that caught it, or none. */
export interface Verdict {
  readonly mutation: Mutation;
  readonly caughtBy: readonly string[];
}

interface Work {
  readonly area: AreaName;
  /** Of mutations. */
  readonly todo: number[];
  readonly verdicts: Verdict[];
}

const HOME = fileURLToPath(new URL('../..', import.meta.url));
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** What the tests read. */
const COPIED = ['src', 'test/fast-check.ts', 'package.json', 'tsconfig.json'];
/** A mutation may run into an endless loop. No machine is so slow that the tests take this long. */
const JUDGE_MS_MAX = 120_000;
/** A loop that never ends is not to take all memory. */
const HEAP_MB_MAX = 512;

/** Judges some mutations of an area in a few processes, each on a copy of the sources. */
export async function judgeAll(
  area: AreaName,
  indexes: readonly number[],
  workers: number,
): Promise<readonly Verdict[]> {
  const work: Work = { area, todo: [...indexes], verdicts: [] };
  await Promise.all(Array.from({ length: workers }, () => workOff(work)));
  return work.verdicts;
}

async function workOff(work: Work): Promise<void> {
  while (work.todo.length > 0) {
    const folder = copySources();
    try {
      await workUntilExit(folder, work);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** One worker judges until nothing is left, or a mutation takes it down, which has then been caught. */
function workUntilExit(folder: string, { area, todo, verdicts }: Work): Promise<void> {
  const worker = startWorker(folder, area);
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
  const judged = (at: number, caughtBy: readonly string[]): void => {
    const mutation = AREAS[area].mutations[at];
    if (mutation !== undefined) verdicts.push({ mutation, caughtBy });
  };
  worker.on('message', (report: Report) => {
    if (report.kind === 'judged') judged(report.index, report.failed);
    else if (report.failed.length > 0) reject(new Error(`without a mutation these fail: ${report.failed.join('; ')}`));
    if (report.kind === 'judged' || report.failed.length === 0) next();
    else worker.kill();
  });
  worker.on('error', reject);
  worker.on('exit', (code) => {
    clearTimeout(limit);
    if (index !== undefined) judged(index, ['the tests did not end']);
    else if (todo.length > 0) reject(new Error(`a worker ended with ${code} before its first mutation`));
    resolve();
  });
  return promise;
}

function startWorker(folder: string, area: AreaName): ChildProcess {
  // A vitest within a vitest is to know nothing of the outer one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  return fork(WORKER, [folder, area], {
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
