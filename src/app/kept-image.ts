import { constants, readdirSync, rmSync } from 'node:fs';
import { copyFile, type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ShoalError } from '../errors.ts';
import {
  companionField,
  type ImageInfo,
  type ImageProfile,
  inspectImage,
  isBuiltIn,
  loadImage,
  profilePath,
  profileText,
} from '../hypervisor/mod.ts';
import { renameDurable, TEMPORARY_SUFFIX, writeDurable } from '../process/mod.ts';
import type { DataDir } from './data-dir.ts';

const FOLDER = 'images';
const PART_SUFFIX = '.part';

/** Copies that this process has begun: several may be under way at once. */
let copies = 0;

/**
 * Copies the guest image into the data directory, under its digest, with its profile and the file that it boots with beside it. VMs start
 * from the copy, so that a file that is rebuilt, replaced or removed changes nothing for a running fleet. The next start of Shoal takes the
 * new file. The copy outlives a crash of the machine, as the note of its deploy does.
 * @returns the copy
 * @throws IMAGE_MISSING, IMAGE_INVALID; an error of the file system if the copy cannot be made
 */
export async function keepImage(data: DataDir, image: ImageInfo): Promise<ImageInfo> {
  const { profile, companion } = image;
  const folder = data.folder(FOLDER);
  // A copy may have been damaged, or have lost what was beside it: the next Shoal could not use it.
  const kept = await wholeCopy(data, image.digest);
  if (kept !== undefined) return { ...kept, profile };
  const temporary = placesOf(folder, `${process.pid}-${++copies}`, companion !== undefined, TEMPORARY_SUFFIX);
  try {
    await copyFile(image.path, temporary.image);
    if (companion !== undefined && temporary.companion !== undefined)
      await copyFile(companion.path, temporary.companion);
    // The files may have changed since they were inspected.
    const copy = await inspectImage(temporary.image, profile, temporary.companion);
    const target = placesOf(folder, copy.digest, companion !== undefined);
    // The image comes last: once it is there, all of it is.
    if (!isPlain(copy)) await writeDurable(target.profile, keptProfileText(profile, target.companion));
    if (temporary.companion !== undefined && target.companion !== undefined)
      await renameDurable(temporary.companion, target.companion);
    await renameDurable(temporary.image, target.image);
    const moved = copy.companion && target.companion && { ...copy.companion, path: target.companion };
    return { ...copy, path: target.image, companion: moved || undefined };
  } finally {
    for (const path of Object.values(temporary)) if (path !== undefined) rmSync(path, { force: true });
  }
}

/** The path of an image's copy, whether it still exists or not. */
export function keptImagePath(data: DataDir, digest: string): string {
  return placesOf(join(data.path, FOLDER), digest, false).image;
}

/** Removes what an earlier Shoal left of copies that it did not end. */
export function removeUnfinishedCopies(data: DataDir): void {
  const folder = data.folder(FOLDER);
  for (const name of readdirSync(folder)) {
    if (name.endsWith(TEMPORARY_SUFFIX)) rmSync(join(folder, name), { force: true });
  }
}

/**
 * Removes copies that no VM runs, and parts that were sent; none of them while it is not known what VMs run. A copy that is being made stays.
 * @param needed digests of images that VMs may be started from
 * @param running digests of images of VMs
 */
export function removeOldImages(
  data: DataDir,
  needed: readonly string[],
  running: readonly string[] | undefined,
): void {
  if (running === undefined) return;
  const folder = data.folder(FOLDER);
  const inUse = new Set([...needed, ...running]);
  for (const name of readdirSync(folder)) {
    const [digest = ''] = name.split('.');
    if (name.endsWith(TEMPORARY_SUFFIX)) continue;
    if (name.endsWith(PART_SUFFIX) || !inUse.has(digest)) rmSync(join(folder, name), { force: true });
  }
}

/**
 * The copy of an image that was deployed.
 * @throws IMAGE_MISSING if it is not there any more, or damaged
 */
export async function deployedImage(data: DataDir, digest: string): Promise<ImageInfo> {
  const kept = await wholeCopy(data, digest);
  if (kept !== undefined) return kept;
  const path = keptImagePath(data, digest);
  throw new ShoalError(
    'IMAGE_MISSING',
    `The deployed image ${path} is not there any more, or damaged: put it back, or start with --fresh, which takes that of --image`,
    { details: { path } },
  );
}

/** A file of an image: the image itself, or what it boots with. */
export type ImageFile = 'image' | 'boot';

export interface ImagePart {
  /** Of the image as a whole. */
  readonly digest: string;
  readonly file: ImageFile;
  /** Of the whole file. */
  readonly bytes: number;
  readonly at: number;
  readonly part: Uint8Array;
}

/** Takes a part of an image that somebody sends. @throws an error of the file system; no part is left then */
export async function takePart(data: DataDir, { digest, file: which, bytes, at, part }: ImagePart): Promise<void> {
  // By position: whoever else sends the same image writes the same bytes.
  const file = await open(partOf(data, digest, which), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await writeAll(file, part, at);
    if (at + part.length >= bytes) await file.truncate(bytes);
  } catch (error) {
    // Nobody sends the rest, and a disk that is full must not stay so.
    removeParts(data, digest);
    throw error;
  } finally {
    await file.close();
  }
}

/** A nearly full disk takes a piece and reports the error only at the next write. */
async function writeAll(file: FileHandle, content: Uint8Array, from: number): Promise<void> {
  for (let at = 0; at < content.length; ) {
    const { bytesWritten } = await file.write(content, at, content.length - at, from + at);
    if (bytesWritten === 0) throw new Error('the file took no more bytes and named no reason');
    at += bytesWritten;
  }
}

function removeParts(data: DataDir, digest: string): void {
  for (const which of ['image', 'boot'] as const) rmSync(partOf(data, digest, which), { force: true });
}

/**
 * Keeps an image whose parts have all come.
 * @throws IMAGE_MISSING if parts are missing; IMAGE_INVALID if it is none, or not the one that was announced
 */
export async function keepSent(data: DataDir, digest: string, profile: ImageProfile, hasBoot: boolean): Promise<void> {
  const [image, boot] = [partOf(data, digest, 'image'), partOf(data, digest, 'boot')];
  try {
    // Whoever else sent it was quicker.
    if (await hasImage(data, digest)) return;
    const sent = await inspectImage(image, profile, hasBoot ? boot : undefined);
    if (sent.digest !== digest) {
      throw new ShoalError('IMAGE_INVALID', `The image came as ${sent.digest}, and not as ${digest}: send it again`);
    }
    await keepImage(data, sent);
  } catch (error) {
    // Whoever else sent it has ended meanwhile, and removed the parts.
    if (!(await hasImage(data, digest))) throw error;
  } finally {
    removeParts(data, digest);
  }
}

function partOf(data: DataDir, digest: string, file: ImageFile): string {
  return join(data.folder(FOLDER), `${digest}.${file}${PART_SUFFIX}`);
}

/** Whether a whole copy of the image is there. */
export async function hasImage(data: DataDir, digest: string): Promise<boolean> {
  return (await wholeCopy(data, digest)) !== undefined;
}

async function wholeCopy(data: DataDir, digest: string): Promise<ImageInfo | undefined> {
  const kept = await loadImage(keptImagePath(data, digest)).catch(() => undefined);
  return kept?.digest === digest ? kept : undefined;
}

interface Places {
  readonly image: string;
  readonly companion: string | undefined;
  readonly profile: string;
}

/** The names are such that the copy is an image with a profile beside it. */
function placesOf(folder: string, digest: string, hasCompanion: boolean, suffix = ''): Places {
  const image = join(folder, `${digest}.elf`);
  const companion = hasCompanion ? `${join(folder, digest)}.boot${suffix}` : undefined;
  return { image: `${image}${suffix}`, companion, profile: `${profilePath(image)}${suffix}` };
}

/** An image that needs no profile has none beside its copy. */
function isPlain({ profile, companion }: ImageInfo): boolean {
  return isBuiltIn(profile) && companion === undefined;
}

/** A profile that names its companion as it stands beside the copy. */
function keptProfileText(profile: ImageProfile, companion: string | undefined): string {
  return profileText(
    companion === undefined ? profile : { ...profile, [companionField(profile)]: basename(companion) },
  );
}
