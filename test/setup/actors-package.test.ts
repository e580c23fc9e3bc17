/** The manifest of the second package is written by hand; it must not fall behind that of the first. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Versions = Readonly<Record<string, string>>;
interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Versions;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Versions;
  readonly peerDependencies?: Versions;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>;
}

const FOLDERS = ['actors', 'supervisor', 'shards', 'remote'];
const manifestOf = (path: string): Manifest =>
  // Files of this project.
  JSON.parse(readFileSync(path, 'utf8')) as Manifest;
const whole = manifestOf('package.json');
const actors = manifestOf('packaging/actors/package.json');

test('it has the version, licence and engines of the whole', () => {
  const { version, license, engines } = whole;
  expect(actors).toMatchObject({ version, license, engines });
});

test('it exports each module of actors, supervisor, shards and hosts', () => {
  const expected = Object.entries(whole.exports).flatMap(([name, target]) => {
    const [folder = '', ...rest] = name.slice('./'.length).split('/');
    if (!FOLDERS.includes(folder) || typeof target === 'string') return [];
    const { types, default: code } = target;
    const below = folder === 'actors' ? rest : [folder, ...rest];
    return [[['.', ...below].join('/'), { types, default: code }] as const];
  });
  expect(actors.exports).toEqual({ ...Object.fromEntries(expected), './package.json': './package.json' });
});

test('it depends on the packages that its sources import, in the versions of the whole', () => {
  const imported = new Set(FOLDERS.flatMap((folder) => sourcesOf(join('src', folder))).flatMap(packagesIn));
  const versions = { ...whole.dependencies, ...whole.peerDependencies };
  const expected = Object.fromEntries([...imported].map((name) => [name, versions[name]]));
  expect({ ...actors.dependencies, ...actors.peerDependencies }).toEqual(expected);
  expect(Object.keys(actors.dependencies).sort()).toEqual(['@msgpack/msgpack', 'comlink', 'piscina']);
  for (const name of Object.keys(actors.peerDependencies ?? {})) {
    expect(actors.peerDependenciesMeta?.[name]?.optional).toBe(true);
  }
});

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !path.includes('/testing/'));
}

function packagesIn(path: string): string[] {
  const from = readFileSync(path, 'utf8').matchAll(/\b(?:from|import\() ?'((?:@[\w-]+\/)?[\w-]+)[^']*'/g);
  return [...from].flatMap(([whole, name = '']) => (whole.includes("'node:") ? [] : [name]));
}
