import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Dependencies = Readonly<Record<string, string>>;
type Manifest = {
  dependencies: Dependencies;
  devDependencies: Dependencies;
  exports: Readonly<Record<string, string | { types: string; default: string }>>;
  files: readonly string[];
};
type Lock = { packages: Readonly<Record<string, { dev?: boolean; license?: string }>> };

// Both are files of this project, in formats that npm fixes; `npm ci` has read them before this test runs.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;

/** What `npm install shoal` brings: name and licence. */
const shipped = Object.entries(lock.packages)
  .filter(([folder, locked]) => folder !== '' && locked.dev !== true)
  .map(([folder, locked]) => ({ name: folder.replace(/^.*node_modules\//, ''), license: locked.license }));

test('users get no Node from us', () => {
  expect(shipped.map(({ name }) => name).filter((name) => /^node(-linux-x64)?$/.test(name))).toEqual([]);
});

test('every dependency stands in docs/dependencies.md with its reason', () => {
  const documented = readFileSync('docs/dependencies.md', 'utf8');
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(names.filter((name) => !documented.includes(`| \`${name}\` | `))).toEqual([]);
  const npm = documented.slice(0, documented.indexOf('## System'));
  const gone = [...npm.matchAll(/^\| `([^`]+)` \| /gm)].flatMap((match) => match[1] ?? []);
  expect(gone.filter((name) => !names.includes(name))).toEqual([]);
});

test('every package that users get stands in THIRD_PARTY_NOTICES with its licence', () => {
  const notices = readFileSync('THIRD_PARTY_NOTICES', 'utf8').split('\n');
  const missing = shipped.filter(({ name, license }) => {
    return !notices.some((line) => {
      const [named, licence] = line.trim().split(/\s+/);
      // Some state it in their files only, where no lock file has it from.
      return named === name && licence !== undefined && (license === undefined || licence === license);
    });
  });
  expect(missing).toEqual([]);
});

test('every version is exact, so that a lock file is not all that keeps builds the same', () => {
  const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('every export is the public file of a folder that exists', () => {
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [target]));
  const source = (path: string) => path.replace('./dist/', 'src/').replace(/(\.d\.ts|\.js)$/, '.ts');
  expect(targets.flatMap(({ types, default: code }) => [source(types), source(code)]).filter(isNoPublicFile)).toEqual(
    [],
  );
});

function isNoPublicFile(path: string): boolean {
  return !path.endsWith('/mod.ts') || !existsSync(path);
}
