/** The programs in docs/actors.md are what people copy: each is compiled, run, and prints what the guide says. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const home = join(import.meta.dirname, '..');
const run = promisify(execFile);
const RUN_MS_MAX = 50_000;

interface Example {
  readonly title: string;
  readonly file: string;
  readonly prints: string;
}

const folder = mkdtempSync(join(tmpdir(), 'shoal-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

for (const linked of ['src', 'node_modules']) symlinkSync(join(home, linked), join(folder, linked));
writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
const examples = examplesOf(readFileSync(join(home, 'docs/actors.md'), 'utf8'));

test('the guide has programs', () => {
  expect(examples.length).toBeGreaterThan(8);
});

test('they compile as strictly as our own code', async () => {
  const config = { extends: join(home, 'tsconfig.json'), include: ['*.ts'], compilerOptions: { types: ['node'] } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(home, 'node_modules/typescript/bin/tsc');
  const compiled = run(process.execPath, [compiler, '--noEmit', '-p', folder], { timeout: RUN_MS_MAX });
  const complaints = await compiled.then(
    () => 'none',
    (failure: Error & { stdout: string }) => `${failure.stdout}\n${failure.message}`,
  );
  expect(complaints).toBe('none');
});

test.each(examples)('$title', async ({ file, prints }) => {
  // Whoever replays another test by its seed does not replay these.
  const env = { ...process.env, SHOAL_SEED: '' };
  const { stdout } = await run(process.execPath, ['--no-warnings', file], { timeout: RUN_MS_MAX, env });
  expect(stdout).toBe(prints);
});

/** Each program stands before what it prints. */
function examplesOf(guide: string): Example[] {
  const blocks = guide.matchAll(/```ts\n(.*?)```\n+```text\n(.*?)```/gs);
  return [...blocks].map(([, program = '', prints = ''], index) => {
    const file = join(folder, `example-${index}.ts`);
    const text = program
      .replaceAll("'shoal/actors/kit'", "'./src/actors/kit/mod.ts'")
      .replaceAll("'shoal/actors'", "'./src/actors/mod.ts'");
    // A program without an import is a script to the compiler, and shares its names with the others.
    writeFileSync(file, `${text}export {};\n`);
    const before = guide.slice(0, guide.indexOf(program));
    return {
      title:
        before
          .match(/^## .*$/gm)
          ?.at(-1)
          ?.slice(3) ?? file,
      file,
      prints,
    };
  });
}
