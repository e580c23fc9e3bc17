import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where state lives if nobody says: SHOAL_DATA, else the place that XDG gives to state. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['SHOAL_DATA'] !== undefined && env['SHOAL_DATA'] !== '') return resolve(env['SHOAL_DATA']);
  const state = env['XDG_STATE_HOME'];
  // XDG says that a relative path is to be ignored.
  if (state?.startsWith('/') === true) return join(state, 'shoal');
  return join(homedir(), '.local', 'state', 'shoal');
}

/** Where what was measured on this host is kept; losing it costs a measurement. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['XDG_CACHE_HOME'];
  return cache?.startsWith('/') === true ? join(cache, 'shoal') : join(homedir(), '.cache', 'shoal');
}

/** The built-in image: of the installed package, else of the checkout. */
export function defaultImage(): string {
  const packaged = fileURLToPath(new URL('../guest/shoal-guest.elf', import.meta.url));
  if (existsSync(packaged)) return packaged;
  return fileURLToPath(new URL('../../includeos/build/shoal-guest.elf', import.meta.url));
}

/** The version in package.json, which stands two folders up in the checkout and in the package alike. */
export const packageJsonUrl = new URL('../../package.json', import.meta.url);
