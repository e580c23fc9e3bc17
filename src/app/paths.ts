import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { guestFile } from '../guest-files.ts';

/** The data directory by default: $SHOAL_DATA, else `shoal` in the state directory of XDG. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['SHOAL_DATA'] !== undefined && env['SHOAL_DATA'] !== '') return resolve(env['SHOAL_DATA']);
  const state = env['XDG_STATE_HOME'];
  // XDG: a relative path is ignored.
  if (state?.startsWith('/') === true) return join(state, 'shoal');
  return join(homedir(), '.local', 'state', 'shoal');
}

/** The folder for measurements of this host. They are made again if they are lost. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['XDG_CACHE_HOME'];
  return cache?.startsWith('/') === true ? join(cache, 'shoal') : join(homedir(), '.cache', 'shoal');
}

/** The path of the built-in image. */
export function defaultImage(): string {
  return guestFile('shoal-guest.elf', 'build/shoal-guest.elf');
}

/** package.json stands two folders up, in the checkout and in the package. */
export const packageJsonUrl = new URL('../../package.json', import.meta.url);
