import { constants } from 'node:fs';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { examine, type ServiceFacts, serviceFile } from '../../bundle/mod.ts';
import { type ImageProfile, profilePath, profileText, withoutExtension } from '../../hypervisor/mod.ts';
import { engineImage } from './engine-image.ts';

export interface BuiltScript {
  readonly image: string;
  readonly profile: string;
  /** The files that it was made of. */
  readonly inputs: readonly string[];
}

/** The engine has a heap of its own in it. */
const MEMORY_MIB = 32;

/**
 * Writes the image of a service in TypeScript or JavaScript: a copy of the engine's, with the service as its initial ramdisk and the profile
 * that says so.
 * @throws SERVICE_INVALID; SERVICE_BUILD if there is no engine; an error of the file system
 */
export async function buildScript(source: string, image: string, say: (line: string) => void): Promise<BuiltScript> {
  // The first mistake of an author should not cost the build of an engine.
  const { facts, script, inputs, notes } = await examine(source);
  for (const note of notes) say(note);
  const engine = await engineImage(say);
  const [service, profile] = [`${withoutExtension(image)}.service`, profilePath(image)];
  await replace(service, (path) => writeFile(path, serviceFile(facts, script)));
  await replace(profile, (path) => writeFile(path, profileText(profileOf(basename(service), facts))));
  // No hard link: whoever writes into the one file would change the other.
  await replace(image, (path) => copyFile(engine, path, constants.COPYFILE_FICLONE));
  return { image, profile, inputs };
}

/** Only what differs from the defaults, and how it boots: its author may read it, and change it. */
function profileOf(initrd: string, { payload }: ServiceFacts): Partial<ImageProfile> {
  return { boot: 'pvh', initrd, memoryMib: MEMORY_MIB, ...(payload === 'text' ? {} : { payload }) };
}

/** Whoever reads the file meanwhile has the old one or the new one. */
async function replace(path: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await write(part);
  await rename(part, path);
}
