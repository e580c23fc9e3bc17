import { dirname, join, normalize } from 'node:path';
import type { Source } from './source.ts';

/** Files of no layer, which all files may import. */
const GROUND = [
  'content-type',
  'errors',
  'file-signature',
  'guest-files',
  'is-record',
  'memo',
  'operation-name',
  'plain-file',
  'kept-once',
  'small-map',
].map((name) => `src/${name}.ts`);

/**
 * Which folders of src/ a folder may import: those below it in the design, through their `mod.ts` (and that of
 * their `kit/`, what they offer to tests). The neighbours of `fleet` speak its messages; `fleet` knows none of them.
 */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  actors: [],
  bundle: [],
  service: ['bundle'],
  refs: ['actors'],
  shards: ['actors', 'refs'],
  remote: ['actors', 'refs'],
  process: ['actors'],
  supervisor: ['actors'],
  fleet: ['actors', 'supervisor'],
  hypervisor: ['process', 'actors', 'shards', 'supervisor', 'fleet'],
  transport: ['process', 'actors', 'supervisor', 'fleet'],
  store: ['actors', 'supervisor', 'fleet'],
  client: ['actors', 'supervisor', 'fleet', 'transport'],
  load: ['actors', 'supervisor', 'fleet', 'transport', 'client'],
  console: ['actors', 'supervisor', 'fleet', 'transport', 'store'],
  app: ['bundle', 'process', 'actors', 'remote', 'shards', 'supervisor', 'fleet', 'hypervisor', 'transport', 'store'],
  sim: [
    'actors',
    'refs',
    'remote',
    'shards',
    'supervisor',
    'fleet',
    'hypervisor',
    'transport',
    'store',
    'client',
    'app',
  ],
  cli: [
    'bundle',
    'service',
    'process',
    'actors',
    'shards',
    'supervisor',
    'fleet',
    'hypervisor',
    'transport',
    'store',
    'client',
    'load',
    'console',
    'app',
    'sim',
  ],
};

/** The imports of a source that the layers forbid, each with the reason. */
export function importFindings(source: Source): string[] {
  return importsOf(source).flatMap(({ path, offset }) => {
    const reason = objection(source, path);
    return reason === undefined ? [] : [`${source.at(offset)}: ${path} ${reason}`];
  });
}

function objection(source: Source, path: string): string | undefined {
  const [from, to] = [folderOf(source.path), folderOf(path)];
  if (GROUND.includes(path) || from === to) return undefined;
  if (to === undefined) return 'is outside src/';
  if (!path.startsWith('src/')) return mayUseTestHelpers(source) ? undefined : 'is outside src/';
  if (path !== `src/${to}/mod.ts` && path !== `src/${to}/kit/mod.ts`)
    return `is that folder's own business; import src/${to}/mod.ts`;
  if (from === undefined || !source.path.startsWith('src/') || source.isTest) return undefined;
  return BELOW[from]?.includes(to) ? undefined : `is not below src/${from}/`;
}

/** Tests, and what is not part of the product, may share helpers in test/ and bench/. */
function mayUseTestHelpers(source: Source): boolean {
  return source.isTest || !source.path.startsWith('src/');
}

/** `src/fleet/policy.ts` is in `fleet`, `test/setup/fixture.ts` in `test`. A file in no folder is in none. */
function folderOf(path: string): string | undefined {
  const [top, folder, file] = path.split('/');
  if (top === 'src') return file === undefined ? undefined : folder;
  return folder === undefined ? undefined : top;
}

/** The project's own modules that a source imports in any way, or starts as a worker by its address. */
export function importsOf(source: Source): { path: string; offset: number }[] {
  return [...source.text.matchAll(/(?:\bfrom|\bimport|\bnew URL)\s*\(?\s*(['"])(\.[^'"\n]+\.(?:ts|mjs|js))\1/g)]
    .filter((match) => source.code.slice(match.index, match.index + 3).trim() !== '')
    .map((match) => ({ path: normalize(join(dirname(source.path), match[2] ?? '')), offset: match.index }));
}
