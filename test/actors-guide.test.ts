/**
 * The programs in docs/actors.md and docs/patterns.md are what people copy: each is compiled, run, and prints what the
 * guide says.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { programsOf } from './docs/guide-programs.ts';

const home = join(import.meta.dirname, '..');
const run = promisify(execFile);
const RUN_MS_MAX = 50_000;

const folder = mkdtempSync(join(tmpdir(), 'shoal-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

for (const linked of ['src', 'node_modules']) symlinkSync(join(home, linked), join(folder, linked));
writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
const pages = ['actors', 'patterns'].map((page) => readFileSync(join(home, `docs/${page}.md`), 'utf8'));
const fromSources = (code: string): string =>
  code
    .replaceAll("'shoal/actors/kit'", "'./src/actors/kit/mod.ts'")
    .replaceAll(/'shoal\/(actors|shards)'/g, "'./src/$1/mod.ts'");
const examples = pages.flatMap(programsOf).map(({ code, files, ...example }, index) => {
  const file = join(folder, `example-${index}.ts`);
  writeFileSync(file, fromSources(code));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), fromSources(text));
  return { ...example, file };
});

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
