// Modules and their runtime, translated and compiled as build.sh does it, with its own flags.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canBeStarted, driver } from './driver.mjs';
import { includeos, must, run } from './programs.mjs';

const HERE = 'test/wasm/spec';
const script = readFileSync(join(includeos, 'build.sh'), 'utf8');

/** A variable of build.sh that holds flags. */
function textOf(name) {
  const found = new RegExp(`^${name}="([^"]*)"`, 'm').exec(script);
  if (found === null) throw new Error(`build.sh has no flags called ${name}`);
  return found[1].replaceAll(/\$(\w+)/g, (_, inner) => textOf(inner));
}
const flags = (...names) => names.flatMap((name) => textOf(name).split(/\s+/));

const moduleFlags = flags('wasm_flags');

/** The runtime, and what stands for the rest of the guest: objects. */
export function compileRuntime(work) {
  const sources = [
    ['wasm/runtime.cpp', [...flags('cxx_flags', 'machine_flags', 'own_includes'), '-Iwasm']],
    [`${HERE}/host.cpp`, ['-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror', '-Iwasm']],
  ];
  return Promise.all(
    sources.map(async ([source, itsFlags]) => {
      const object = join(work, `${basename(source, '.cpp')}.o`);
      await must('g++', [...itsFlags, '-c', source, '-o', object]);
      return object;
    }),
  );
}

const pathIn = (folder, id) => (suffix) => join(folder, `${id}${suffix}`);

const translated = (folder, filename, id) =>
  run('wasm2c', ['--no-debug-names', '-n', id, join(folder, filename), '-o', pathIn(folder, id)('.c')]);

async function compiled(folder, id) {
  const path = pathIn(folder, id);
  writeFileSync(path('_steps.c'), await must('awk', ['-f', 'wasm/prepare.awk', path('.c')]));
  return run('gcc', [...moduleFlags, `-I${folder}`, '-c', path('_steps.c'), '-o', path('.o')]);
}

function refuseFailure({ status, stderr }) {
  if (status !== 0) throw new Error(stderr.slice(0, 2000));
}

/** A module's object and header; undefined: it imports what is not there. */
export async function compileModule(folder, part, at) {
  const id = `m${at}`;
  refuseFailure(await translated(folder, part.filename, id));
  const header = readFileSync(pathIn(folder, id)('.h'), 'utf8');
  if (!canBeStarted(header)) return undefined;
  refuseFailure(await compiled(folder, id));
  return { ...part, id, header, object: pathIn(folder, id)('.o') };
}

/** Whether a build of the module ends with an error: wasm2c's, and where that lets an empty expression pass, gcc's. */
export async function isRefused(folder, filename) {
  const id = `refused_${basename(filename).replaceAll(/\W/g, '_')}`;
  if ((await translated(folder, filename, id)).status !== 0) return true;
  return (await compiled(folder, id)).status !== 0;
}

/** Has the modules of a file do their commands. */
export async function runModules(folder, modules, runtime) {
  const [source, object, program] = ['main.c', 'main.o', 'main'].map((name) => join(folder, name));
  writeFileSync(source, driver(modules));
  const definitions = moduleFlags.filter((flag) => flag.startsWith('-DWASM_RT'));
  await must('gcc', ['-w', '-O0', ...definitions, `-I${HERE}`, '-c', source, '-o', object]);
  await must('g++', ['-no-pie', object, ...modules.map((module) => module.object), ...runtime, '-o', program]);
  const { status, stdout, stderr } = await run(program, []);
  const lines = stdout.trim().split('\n');
  const [, held, again] = /^(\d+) (\d+) \d+$/.exec(lines.at(-1)) ?? [];
  if (held === undefined) throw new Error(`the program ends with ${status}: ${stdout.slice(-500)} ${stderr}`);
  return { held: Number(held), again: Number(again), faults: lines.slice(0, -1) };
}
