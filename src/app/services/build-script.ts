import { constants } from 'node:fs';
import { copyFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { examine, type ServiceFacts, serviceFile } from '../../bundle/mod.ts';
import { type ImageProfile, profilePath, profileText, withoutExtension } from '../../hypervisor/mod.ts';
import { engineImage } from './engine-image.ts';

/** As of `ServiceBuild`. */
export interface BuildListeners {
  readonly say: (line: string) => void;
  readonly onInput?: (path: string) => void;
}

export interface BuiltScript {
  readonly image: string;
  readonly profile: string;
}

/** The engine has a heap of its own in it. */
const MEMORY_MIB = 32;
/** The script has 4 MiB then. */
const MEMORY_MIN_MIB = 16;

/**
 * Writes the image of a service in TypeScript or JavaScript: a copy of the engine's, with the service as its initial ramdisk and the profile
 * that says so.
 * @throws SERVICE_INVALID; SERVICE_BUILD if there is no engine; an error of the file system
 */
export async function buildScript(
  source: string,
  image: string,
  { say, onInput }: BuildListeners,
): Promise<BuiltScript> {
  // The first mistake of an author should not cost the build of an engine.
  const examined = await examine(source, onInput);
  const { facts, memoryMib = MEMORY_MIB } = examined;
  for (const note of examined.notes) say(note);
  const engine = await engineImage(say);
  const { service, profile } = filesBeside(image);
  await replaceAll([
    [service, (part) => writeFile(part, serviceFile(facts, examined))],
    [profile, (part) => writeFile(part, profileText(profileOf(basename(service), facts, memoryMib)))],
    // No hard link: whoever writes into the one file would change the other.
    [image, (part) => copyFile(engine, part, constants.COPYFILE_FICLONE)],
  ]);
  return { image, profile };
}

/** What an image of the engine travels with. */
export function filesBeside(image: string): { readonly service: string; readonly profile: string } {
  return { service: `${withoutExtension(image)}.service`, profile: profilePath(image) };
}

/** Only what differs from the defaults, and how it boots: its author may read it, and change it. */
function profileOf(initrd: string, { payload }: ServiceFacts, memoryMib: number): Partial<ImageProfile> {
  // With less than it needs it would not start.
  const memory = { memoryMib, memoryMinMib: memoryMib === MEMORY_MIB ? MEMORY_MIN_MIB : memoryMib };
  return { boot: 'pvh', initrd, ...memory, ...(payload === 'text' ? {} : { payload }) };
}

type Write = readonly [path: string, write: (part: string) => Promise<void>];

/** They change together, or none of them. Whoever reads one meanwhile has the old one or the new one. */
async function replaceAll(writes: readonly Write[]): Promise<void> {
  const partOf = (path: string): string => `${path}.${process.pid}.part`;
  try {
    for (const [path, write] of writes) await write(partOf(path));
    for (const [path] of writes) await rename(partOf(path), path);
  } catch (error) {
    for (const [path] of writes) await rm(partOf(path), { force: true });
    throw error;
  }
}
