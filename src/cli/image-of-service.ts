import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { buildService, looksLikeService } from '../app/mod.ts';
import { say } from './output.ts';

/**
 * Does something with an image, which a service is built into if the file is one.
 * @throws what `buildService` throws
 */
export async function withImage<T>(path: string, use: (image: string) => Promise<T>): Promise<T> {
  if (!looksLikeService(path)) return use(path);
  const folder = await mkdtemp(join(tmpdir(), 'shoal-image-'));
  try {
    const output = join(folder, `${basename(path, extname(path))}.elf`);
    const { image } = await buildService({ system: 'builtin', source: path, output, say });
    return await use(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
