/** Runs in a process of its own, on a copy of the sources: applies one mutation at a time and runs the tests. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';
import { ALL } from './all.ts';
import { mutated } from './mutation.ts';
import type { Report } from './pool.ts';

const [, , root = ''] = process.argv;
const vitest = await startVitest();
const specifications = await vitest.globTestSpecifications();

// Without a mutation all must pass, or a mutation that changes nothing would look caught.
report({ kind: 'ready', failed: await failures() });

process.on('message', (index: number) => {
  void judge(index);
});

async function judge(index: number): Promise<void> {
  const mutation = ALL[index];
  if (mutation === undefined) return;
  const path = join(root, 'src/fleet', mutation.file);
  const source = readFileSync(path, 'utf8');
  write(path, mutated(source, mutation));
  const failed = await failures();
  write(path, source);
  report({ kind: 'judged', index, failed });
}

function write(path: string, text: string): void {
  writeFileSync(path, text);
  vitest.invalidateFile(path);
}

/** The first tests that fail, or what else went wrong. */
async function failures(): Promise<readonly string[]> {
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
  return [
    ...testModules.flatMap((file) => [...file.children.allTests('failed')].map((test) => test.fullName)),
    ...testModules.flatMap((file) => file.errors().map((error) => error.message)),
    ...unhandledErrors.map(String),
  ];
}

function startVitest(): Promise<Vitest> {
  return createVitest('test', {
    root,
    config: false,
    watch: false,
    setupFiles: ['test/fast-check.ts'],
    include: ['src/fleet/**/*.test.ts'],
    // A property finds a mutation by luck: what a rule promises is to be caught by a test that says it.
    exclude: ['**/*.long.test.ts', '**/history.test.ts', '**/router-model.test.ts', '**/docs.test.ts'],
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    testTimeout: 30_000,
    reporters: [{}],
  });
}

function report(message: Report): void {
  process.send?.(message);
}
