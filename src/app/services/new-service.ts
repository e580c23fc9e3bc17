import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, ShoalError } from '../../errors.ts';
import { packageJsonUrl } from '../paths.ts';
import { version } from '../version.ts';
import { type Language, type ShoalNames, templateOf } from './templates.ts';

/** Also what npm, a compiler and a shell take without quotes. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;
/** npm installs nothing into a package of the same name, and looks for no package in a folder that has this one. */
const TAKEN: readonly string[] = ['shoal', 'node_modules'];

export interface NewService {
  readonly folder: string;
  /** Their paths. */
  readonly files: readonly string[];
  /** The command to go on with, in the folder; undefined where this Shoal cannot build the service. */
  readonly next: string | undefined;
}

/**
 * Writes a folder with a service to start from and its test.
 * @param path of the folder; its last part is the name of the service
 * @throws CONFIG_VALUE for a name that cannot be one; SERVICE_EXISTS if something is there already
 */
export async function newService(path: string, language: Language): Promise<NewService> {
  const folder = resolve(path);
  const name = basename(folder);
  if (!NAME.test(name) || TAKEN.includes(name)) {
    const rule = `1 to 64 characters of a-z, 0-9, "_" and "-", the first of them a letter, and not ${TAKEN.join(' or ')}`;
    throw new ShoalError('CONFIG_VALUE', `Expected the name of a service to be ${rule}, got ${JSON.stringify(name)}`, {
      details: { name },
    });
  }
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    if (codeOf(cause) === 'EEXIST') throw exists(folder, 'it is a file', cause);
    throw cause;
  });
  const [there] = await readdir(folder);
  if (there !== undefined) throw exists(folder, `it has ${JSON.stringify(there)} in it`);
  const { files, next } = templateOf(language, name, shoalNames());
  const written: string[] = [];
  for (const [file, content] of Object.entries(files)) {
    const place = join(folder, file);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, content, { flag: 'wx' });
    if (file.endsWith('.sh')) await chmod(place, 0o755);
    written.push(place);
  }
  return { folder, files: written, next };
}

function exists(folder: string, why: string, cause?: unknown): ShoalError {
  const options = { ...(cause === undefined ? {} : { cause }), details: { folder } };
  return new ShoalError('SERVICE_EXISTS', `No service was written to ${folder}: ${why}. Choose another name`, options);
}

/** A checkout is no version that npm could get, and no PATH leads to it. */
function shoalNames(): ShoalNames {
  const home = fileURLToPath(new URL('.', packageJsonUrl)).replace(/\/$/, '');
  const isCheckout = existsSync(join(home, 'src'));
  if (!isCheckout) return { dependency: version(), command: 'shoal', isCheckout };
  return { dependency: `file:${home}`, command: `${home}/bin/shoal`, isCheckout };
}
