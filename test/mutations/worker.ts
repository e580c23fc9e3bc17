/** Runs in a process of its own, on a copy of the sources: applies one mutation at a time and runs the tests. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest, type TestModule, type Vitest } from 'vitest/node';
import { AREAS } from './all.ts';
import { type Area, mutated } from './mutation.ts';
import { hasCaught, LastToCatchFirst } from './order.ts';
import type { Report } from './pool.ts';

const [, , root = '', area = ''] = process.argv;
const { mutations, tests } = areaOf(area);
let runs = 0;
const vitest = await startVitest();
const specifications = await vitest.globTestSpecifications();

// Without a mutation all must pass, or a mutation that changes nothing would look caught.
report({ kind: 'ready', failed: await failures() });

process.on('message', (index: number) => {
  void judge(index);
});

function areaOf(name: string): Area {
  const found = Object.entries(AREAS).find(([one]) => one === name);
  if (found === undefined) throw new Error(`there is no area ${name}`);
  return found[1];
}

async function judge(index: number): Promise<void> {
  const mutation = mutations[index];
  if (mutation === undefined) return;
  const path = join(root, 'src', mutation.file);
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
  runs += 1;
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
  for (const file of testModules) if (problemsOf(file).length > 0) hasCaught(file.moduleId, runs);
  return [...testModules.flatMap(problemsOf), ...unhandledErrors.map(() => 'an error that nobody handled')];
}

function problemsOf(file: TestModule): readonly string[] {
  const failed = [...file.children.allTests('failed')].map((test) => test.fullName);
  return [...failed, ...file.errors().map((error) => error.message)];
}

function startVitest(): Promise<Vitest> {
  return createVitest('test', {
    root,
    config: false,
    watch: false,
    setupFiles: ['test/fast-check.ts'],
    include: tests.map((pattern) => `src/${pattern}`),
    // A property finds a mutation by luck: what a rule promises is to be caught by a test that says it.
    exclude: [
      ...['**/*.real.test.ts', '**/*.long.test.ts', '**/history.test.ts', '**/router-model.test.ts', '**/docs.test.ts'],
    ],
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    testTimeout: 10_000,
    sequence: { sequencer: LastToCatchFirst },
    reporters: [{}],
  });
}

function report(message: Report): void {
  process.send?.(message);
}
