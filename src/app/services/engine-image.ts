import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../errors.ts';
import { packagedGuestFile } from '../../guest-files.ts';
import { runScript } from './run-script.ts';

const NAME = 'shoal-engine.elf';
const PACKAGED = packagedGuestFile(NAME);
const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const BUILT = join(CHECKOUT, 'includeos/build', NAME);
const SETUP = join(CHECKOUT, 'setup/setup.mjs');
/** The set-up writes it whenever it has found that the image is that of the sources. */
const STAMP = join(CHECKOUT, '.setup/engine.stamp');

/**
 * The path of the image that runs services in TypeScript and JavaScript. The published package has it; in a checkout it is built when it is
 * first needed, and when its sources have changed.
 * @param say gets each line of a build
 * @throws SERVICE_BUILD naming what is missing, and the command that installs it
 */
export async function engineImage(say: (line: string) => void): Promise<string> {
  if (existsSync(PACKAGED)) return PACKAGED;
  if (!existsSync(SETUP)) {
    throw new ShoalError('SERVICE_BUILD', `There is no ${PACKAGED}: install the package anew`, {
      details: { image: PACKAGED },
    });
  }
  if (isCurrent()) return BUILT;
  say('the engine for TypeScript is built, once');
  await runScript(process.execPath, [SETUP, '--only', 'system,npm,engine'], say);
  return BUILT;
}

/** A look at the times, which takes a few milliseconds. The set-up compares contents. */
function isCurrent(): boolean {
  if (!existsSync(BUILT) || !existsSync(STAMP)) return false;
  const stampMs = statSync(STAMP).mtimeMs;
  const folder = join(CHECKOUT, 'includeos');
  const sources = readdirSync(folder).filter((name) => name !== 'build');
  const files = ['package-lock.json', ...sources.map((name) => join('includeos', name))];
  return newestMs(files.map((name) => join(CHECKOUT, name))) <= stampMs;
}

function newestMs(paths: readonly string[]): number {
  return Math.max(
    0,
    ...paths.map((path) => {
      const found = statSync(path);
      const within = found.isDirectory() ? newestMs(readdirSync(path).map((name) => join(path, name))) : 0;
      return Math.max(found.mtimeMs, within);
    }),
  );
}
