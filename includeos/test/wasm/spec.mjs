// Runs the WebAssembly specification's own test files on the guest's runtime, as a program of this machine:
//   node includeos/test/wasm/spec.mjs [NAME.wast ...]
// Fetches the files first (spec/binaryen.pin). Ends with 1 if anything is not as a file says, or if a file is neither run nor named in
// spec/left-out.mjs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compileModule, compileRuntime, isRefused, runModules } from './spec/compile.mjs';
import { filesLeftOut, linesLeftOut } from './spec/left-out.mjs';
import { includeos, must } from './spec/programs.mjs';
import { modernized, plan } from './spec/script.mjs';

const BUILD = join(includeos, 'build');
const FILES = join(BUILD, 'wasm-spec');

/** A file's commands without those that are left out by line. */
async function readCommands(name, folder) {
  const { text, nans } = modernized(readFileSync(join(FILES, name), 'utf8'));
  writeFileSync(join(folder, name), text);
  const json = join(folder, 'all.json');
  await must('wast2json', [join(folder, name), '-o', json]);
  const { commands } = JSON.parse(readFileSync(json, 'utf8'));
  const lines = linesLeftOut.get(name) ?? new Map();
  const missing = [...lines.keys()].filter((line) => !commands.some((command) => command.line === line));
  if (missing.length > 0) throw new Error(`nothing is at the lines ${missing}, which left-out.mjs names`);
  return { commands: commands.filter(({ line }) => !lines.has(line)), nans };
}

async function notRefused(folder, { filename, line }) {
  return (await isRefused(folder, filename)) ? [] : [`line ${line}: the build takes this module and must refuse it`];
}

async function runFile(name, work, runtime) {
  const folder = join(work, basename(name, '.wast'));
  mkdirSync(folder);
  const { commands, nans } = await readCommands(name, folder);
  const { parts, refused, notRun } = plan(commands, nans);
  const [taken, compiled] = await Promise.all([
    Promise.all(refused.map((module) => notRefused(folder, module))),
    Promise.all(parts.map((part, at) => compileModule(folder, part, at))),
  ]);
  const modules = compiled.filter((module) => module !== undefined);
  const { held, again, faults } = await runModules(folder, modules, runtime);
  rmSync(folder, { recursive: true });
  const linked = parts.filter((_, at) => compiled[at] === undefined);
  return {
    modules: modules.length,
    held,
    again,
    refused: refused.length - taken.flat().length,
    inText: notRun.text,
    linking: linked.reduce((sum, part) => sum + 1 + part.commands.length, notRun.linking),
    faults: [...faults, ...taken.flat()],
  };
}

async function runFiles(names) {
  const work = mkdtempSync(join(tmpdir(), 'shoal-wasm-spec-'));
  try {
    const runtime = await compileRuntime(work);
    const empty = { modules: 0, held: 0, again: 0, refused: 0, inText: 0, linking: 0 };
    const results = await Promise.allSettled(names.map((name) => runFile(name, work, runtime)));
    return results.map((result) =>
      result.status === 'fulfilled' ? result.value : { ...empty, faults: [result.reason.message] },
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

// Says itself what is missing, and ends by itself.
const fetched = spawnSync('sh', ['fetch-source.sh', 'test/wasm/spec/binaryen.pin', BUILD], {
  cwd: includeos,
  stdio: 'inherit',
});
if (fetched.status !== 0) process.exit(1);
const all = readdirSync(FILES)
  .filter((name) => name.endsWith('.wast'))
  .sort();
const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : all.filter((name) => !filesLeftOut.has(name));
const results = await runFiles(names);

const faults = [...filesLeftOut.keys(), ...linesLeftOut.keys()]
  .filter((name) => !all.includes(name))
  .map((name) => `${name}: left-out.mjs names it, and there is no such file`);
for (const [at, result] of results.entries()) for (const fault of result.faults) faults.push(`${names[at]}: ${fault}`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(
  [
    `${names.length} files run, ${all.length - names.length} not run`,
    `${sum('modules')} modules started`,
    `${sum('held')} starts and assertions hold, ${sum('again')} again after the module was put back`,
    `${sum('refused')} modules refused`,
    `left out: ${sum('inText')} modules in text, ${sum('linking')} commands on modules that import from each other`,
    `${faults.length} faults`,
    '',
  ].join('\n'),
);
process.exitCode = faults.length > 0 ? 1 : 0;
