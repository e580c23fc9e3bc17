/** `@shoal/actors` as its users have it: packed, installed in an empty folder, with the programs of its own guides. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programsOf } from './docs/guide-programs.ts';
import { temporaryFolder } from './driver/fleet.ts';
import { ShoalProcess } from './driver/shoal-process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NPM_MS_MAX = 300_000;

let folder: string;
let shipped: string;
beforeAll(() => {
  folder = temporaryFolder();
  shipped = join(folder, 'node_modules', '@shoal', 'actors');
  const npm = (...words: string[]): string =>
    execFileSync('npm', words, {
      cwd: words[0] === 'pack' ? ROOT : folder,
      env: { ...process.env, npm_config_ignore_scripts: undefined },
      encoding: 'utf8',
      timeout: NPM_MS_MAX,
    });
  const packed = npm('pack', '--silent', '--pack-destination', folder, './packaging/actors');
  const archive = packed.trim().split('\n').at(-1) ?? '';
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  npm('install', '--silent', '--prefer-offline', `./${archive}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('it brings piscina, comlink and msgpack, and of Shoal nothing but actors, supervisor, shards, hosts and their refs', () => {
  // The addon is an optional dependency of piscina.
  const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !/^\.|^@napi-rs$/.test(name));
  expect(packages.sort()).toEqual(['@msgpack', '@shoal', 'comlink', 'piscina']);
  const folders = readdirSync(join(shipped, 'dist'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual(['actors', 'refs', 'remote', 'shards', 'supervisor']);
  const files = readdirSync(join(shipped, 'dist'), { encoding: 'utf8', recursive: true });
  expect(files.filter((name) => /\.test\.|testing/.test(name))).toEqual([]);
  expect(existsSync(join(shipped, 'LICENSE'))).toBe(true);
});

test('the links of its guides lead to pages that it has', () => {
  const pages = readdirSync(join(shipped, 'docs'));
  const links = pages.flatMap((page) => {
    const text = readFileSync(join(shipped, 'docs', page), 'utf8').replaceAll(/```.*?```|`[^`\n]+`/gs, '');
    return [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].flatMap(([, target = '']) => target);
  });
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((target) => !pages.includes(target))).toEqual([]);
});

test('the programs of its guides compile there and print what the guides say', async () => {
  const programs = [...guidePrograms(), ...supervisionPrograms(), shardsProgram()];
  for (const { name, files } of programs) {
    mkdirSync(join(folder, name));
    for (const [file, code] of Object.entries(files)) writeFileSync(join(folder, name, file), code);
  }
  await expectToCompile();
  for (const { name, prints } of programs) {
    const program = new ShoalProcess([join(folder, name, 'main.ts')], {
      command: process.execPath,
      cwd: folder,
      // Whoever replays another test by its seed does not replay these.
      env: { SHOAL_SEED: '' },
    });
    expect({ name, ...(await program.finished) }).toMatchObject({ name, stdout: prints, exitCode: 0 });
  }
});

test('a crash in a program of a user prints where it happened, also on a shard', async () => {
  mkdirSync(join(folder, 'crash'));
  writeFileSync(
    join(folder, 'crash', 'work.js'),
    `export const behaviours = () => ({ work: () => () => () => { throw new Error('cannot'); } });\n`,
  );
  writeFileSync(
    join(folder, 'crash', 'main.js'),
    `import { createSystem } from '@shoal/actors';
     import { createShards } from '@shoal/actors/shards';
     const system = createSystem();
     const module = new URL('./work.js', import.meta.url);
     const shards = createShards({ system, count: 1, module, options: {} });
     const { start, ...options } = shards.actor('work', {});
     const ref = await system.start(start, { ...options, name: 'far' });
     ref.tell('go');
     await system.ended(ref);
     await system.shutdown();
     await shards.stop();\n`,
  );
  const program = new ShoalProcess([join(folder, 'crash', 'main.js')], { command: process.execPath, cwd: folder });
  const { stderr, exitCode } = await program.finished;
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^actor \/far failed: Error: cannot\n +at .*work\.js:1:/);
  expect(stderr.match(/failed/g)).toHaveLength(1);
});

interface Program {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly prints: string;
}

function guidePrograms(): Program[] {
  const programs = ['actors.md', 'patterns.md'].flatMap((page) =>
    programsOf(readFileSync(join(shipped, 'docs', page), 'utf8')),
  );
  expect(programs.length).toBeGreaterThan(8);
  return programs.map(({ code, prints, files }, index) => ({
    name: `example-${index}`,
    files: { ...files, 'main.ts': code },
    prints,
  }));
}

/** The page shows them as they stand in a folder, beside what each prints. */
function supervisionPrograms(): Program[] {
  const sources = join(ROOT, 'docs', 'supervision');
  const page = readFileSync(join(shipped, 'docs', 'supervision.md'), 'utf8');
  return readdirSync(sources).map((name) => {
    const said = [...readFileSync(join(sources, name), 'utf8').matchAll(/^\/\/ prints: (.*)$/gm)];
    const code = page.split(`\`${name}\`\n\n\`\`\`ts\n`)[1]?.split('```')[0] ?? '';
    expect(code).toContain("from '@shoal/actors/supervisor'");
    return {
      name: `supervision-${name}`,
      files: { 'main.ts': code },
      prints: said.map((one) => `${one[1]}\n`).join(''),
    };
  });
}

function shardsProgram(): Program {
  const page = readFileSync(join(shipped, 'docs', 'shards.md'), 'utf8');
  const [greeter = '', main = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const files = { 'greeter.ts': greeter, 'main.ts': `${main}\nconsole.log(reply);\n` };
  return { name: 'shards', files, prints: 'Hello, Ada!\n' };
}

async function expectToCompile(): Promise<void> {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    // The types of the package hold for a project that has neither the DOM nor the packages behind them.
    skipLibCheck: false,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/*.ts'] }));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = new ShoalProcess([tsc, '-p', folder], { command: process.execPath, cwd: folder });
  expect(await compiled.finished).toMatchObject({ stdout: '', exitCode: 0 });
}
