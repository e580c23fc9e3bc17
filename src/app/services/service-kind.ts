import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isScript, SCRIPT_EXTENSIONS } from '../../bundle/mod.ts';
import { notBuilt, unreadable } from './not-built.ts';

/** What a service is made of: it says how its image is built, and what that takes. */
export type ServiceKind = 'script' | 'wasm' | 'cpp';

/** How the name of a service's file ends. */
export const SERVICE_EXTENSIONS: readonly string[] = [...SCRIPT_EXTENSIONS, '.wasm', '.cpp'];

/** Whether a file is a service rather than an image, by its name. A folder may be one. */
export function looksLikeService(path: string): boolean {
  return SERVICE_EXTENSIONS.includes(extname(path));
}

/** @throws SERVICE_BUILD if it cannot be read, or is no service */
export async function serviceKind(source: string): Promise<ServiceKind> {
  const found = await stat(source).catch((cause: unknown) => {
    throw unreadable(source, cause);
  });
  if (found.isDirectory()) await refuseWithoutCpp(source);
  if (found.isDirectory() || extname(source) === '.cpp') return 'cpp';
  if (isScript(source)) return 'script';
  if (extname(source) === '.wasm') return 'wasm';
  const why = `the source ${source} is neither a folder nor a file that ends in ${SERVICE_EXTENSIONS.join(', ')}`;
  throw notBuilt(why, { details: { source } });
}

/** A folder is a service in C++. Others are one file. */
async function refuseWithoutCpp(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.some((name) => extname(name) === '.cpp')) return;
  const service = names.sort().find((name) => looksLikeService(name) && !/\.(test|d)\.[^.]+$/.test(name));
  const example = service === undefined ? '' : `, such as ${join(folder, service)}`;
  const why = `there is no .cpp file in the folder ${folder}. A service in another language is named by its file${example}`;
  throw notBuilt(why, { details: { source: folder } });
}
