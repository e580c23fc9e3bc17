import { join } from 'node:path';
import { systemRandom } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { writeDurable } from '../process/mod.ts';
import { TOKEN_KEY_BYTES } from '../transport/mod.ts';
import { readDataFile } from './data-file.ts';

/** The key that proves that a guest's reply belongs to a request of this fleet. It outlives a restart, because guests do. */
export async function tokenKey(directory: string): Promise<Uint8Array> {
  const path = join(directory, 'token.key');
  const known = read(path);
  if (known !== undefined) return known;
  const key = systemRandom.bytes(TOKEN_KEY_BYTES);
  await writeDurable(path, key);
  return key;
}

function read(path: string): Uint8Array | undefined {
  const key = readDataFile(path);
  if (key === undefined || key.length === TOKEN_KEY_BYTES) return key;
  throw new ShoalError(
    'DATA_DIR_UNUSABLE',
    `The file ${path} is damaged: it must have ${TOKEN_KEY_BYTES} bytes; remove it to have another made`,
  );
}
