import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isScript, SCRIPT_EXTENSIONS } from '../../bundle/mod.ts';
import { ShoalError, whyUnreadable } from '../../errors.ts';

/** What a service is made of: it says how its image is built, and what that takes. */
export type ServiceKind = 'script' | 'wasm' | 'cpp';

const EXTENSIONS: readonly string[] = [...SCRIPT_EXTENSIONS, '.wasm', '.cpp'];

/** Whether a file is a service rather than an image, by its name. A folder may be one. */
export function looksLikeService(path: string): boolean {
  return EXTENSIONS.includes(extname(path));
}

/** @throws SERVICE_BUILD if it cannot be read, or is no service */
export async function serviceKind(source: string): Promise<ServiceKind> {
  const found = await stat(source).catch((cause: unknown) => {
    const why = `the source ${source} cannot be read: ${whyUnreadable(cause)}`;
    throw new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, { cause, details: { source } });
  });
  if (found.isDirectory()) await checkFolder(source);
  if (found.isDirectory() || extname(source) === '.cpp') return 'cpp';
  if (isScript(source)) return 'script';
  if (extname(source) === '.wasm') return 'wasm';
  const why = `the source ${source} is neither a folder nor a file that ends in ${EXTENSIONS.join(', ')}`;
  throw new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, { details: { source } });
}

/** A folder is a service in C++. One with scripts only was named instead of a file in it. */
async function checkFolder(folder: string): Promise<void> {
  const names = await readdir(folder);
  const script = names.find((name) => isScript(name) && !/\.(?:test|d)\.[mc]?[jt]s$/.test(name));
  if (script === undefined || names.some((name) => extname(name) === '.cpp')) return;
  const why = `the folder ${folder} has no .cpp file. Name the file of the service, such as ${join(folder, script)}`;
  throw new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, { details: { source: folder } });
}
