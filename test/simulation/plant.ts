/**
 * `node --import test/simulation/plant.ts` loads the sources with one bug of `planted-bugs.ts` in them: the one that the environment's
 * SHOAL_PLANTED_BUG names. The files on disk stay as they are.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PLANTED_BUGS } from './planted-bugs.ts';

const decoder = new TextDecoder();
const HOME = fileURLToPath(new URL('../..', import.meta.url));
const name = process.env['SHOAL_PLANTED_BUG'] ?? '';
const bug = PLANTED_BUGS.find((one) => one.name === name);
if (bug === undefined && name !== '') throw new Error(`there is no planted bug ${name}`);

if (bug !== undefined) {
  const url = new URL(bug.file, `file://${HOME}`).href;
  registerHooks({
    load(address, context, nextLoad) {
      const loaded = nextLoad(address, context);
      if (address !== url) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : textOf(loaded.source);
      if (source.split(bug.from).length !== 2)
        throw new Error(`${bug.file} does not hold the text of ${bug.name} once`);
      return { ...loaded, source: source.replace(bug.from, () => bug.to) };
    },
  });
}

function textOf(source: unknown): string {
  if (typeof source === 'string') return source;
  if (source instanceof Uint8Array) return decoder.decode(source);
  throw new Error('a module has no text');
}
