import { readFile, writeFile } from 'node:fs/promises';
import { codeOf } from '../../errors.ts';
import { profilePath, profileText } from '../../hypervisor/mod.ts';
import { isRecord } from '../../is-record.ts';

/**
 * Writes the profile of a service that takes bytes beside its image. One that is there may say more, and is its author's.
 * @returns its path
 */
export async function profileOfBytes(image: string, say: (line: string) => void): Promise<string> {
  const path = profilePath(image);
  try {
    await writeFile(path, profileText({ payload: 'bytes' }), { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (!(await saysBytes(path)))
      say(`${path} is left as it is; the service takes bytes, so it must say "payload": "bytes"`);
  }
  return path;
}

/** False also of one that cannot be read: the start says what is wrong with it. */
async function saysBytes(path: string): Promise<boolean> {
  try {
    const profile: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isRecord(profile) && profile['payload'] === 'bytes';
  } catch {
    return false;
  }
}
