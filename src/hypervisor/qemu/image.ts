import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ShoalError, whyUnreadable } from '../../errors.ts';
import type { Companion, MachineSpec } from '../port.ts';
import type { BootMethod, ImageProfile } from '../profile/profile.ts';
import { BUILT_IN_PROFILE, isBuiltIn } from '../profile/shipped.ts';
import { looksLike, type OpenFile, takesVirtioConsole, whyNotBootable, whyNotCompanion } from './boot-formats.ts';

export interface ImageInfo {
  readonly path: string;
  /**
   * A SHA-256, hexadecimal: of its bytes, if it runs on the machine of the built-in image; otherwise of that digest,
   * the one of its companion and its profile. Two images with the same one are the same in all that matters.
   */
  readonly digest: string;
  /** SHA-256 of its bytes. */
  readonly fileDigest: string;
  readonly bytes: number;
  readonly profile: ImageProfile;
  /** The file that it boots with, by its profile. */
  readonly companion: CompanionInfo | undefined;
  /** It says by an ELF note that its guest takes a console of a virtio-serial device. Absent: it does not. */
  readonly virtioConsole?: true;
}

export interface CompanionInfo extends Companion {
  readonly bytes: number;
}

/** Nothing larger is a unikernel, and reading it would take too long. */
export const IMAGE_BYTES_MAX = 256 * 1024 * 1024;
const MIB = 1024 * 1024;

/**
 * Reads an image and the file that it boots with, and checks that QEMU can boot them as the profile says.
 * @param companion path of the file that the profile names; undefined if it names none
 * @throws IMAGE_MISSING, IMAGE_INVALID
 */
export async function inspectImage(
  path: string,
  profile: ImageProfile = BUILT_IN_PROFILE,
  companion?: string,
): Promise<ImageInfo> {
  const { boot, memoryMib } = profile;
  let hasVirtioConsole = false;
  const image = await inspect(path, 'guest image', async (file) => {
    if (boot === 'chainloader' && path.includes(' ')) return 'its path has a blank, which no chainloader can read past';
    const why = await whyNotBootable(file, boot);
    hasVirtioConsole = profile.machine === 'microvm' && (await takesVirtioConsole(file));
    return why === undefined ? undefined : `${why}${await hint(file, boot)}`;
  });
  const beside =
    companion === undefined
      ? undefined
      : await inspect(companion, boot === 'chainloader' ? 'chainloader' : 'initial ramdisk', (file) =>
          whyNotCompanion(file, boot),
        );
  const bytes = image.bytes + (beside?.bytes ?? 0);
  if (bytes > memoryMib * MIB) {
    const files = beside === undefined ? 'it has' : 'it and its initial ramdisk have';
    throw invalid(path, `${files} ${bytes} bytes, more than the VM (\`memoryMib\` ${memoryMib})`);
  }
  const digest = identityOf(image.digest, profile, beside);
  return {
    path,
    digest,
    fileDigest: image.digest,
    bytes: image.bytes,
    profile,
    companion: beside,
    ...(hasVirtioConsole ? { virtioConsole: true } : {}),
  };
}

/** Whether two images boot with a file each, and differ in nothing else, as those of two services in one engine. */
export function differInCompanionOnly(one: ImageInfo, other: ImageInfo): boolean {
  if (one.companion === undefined || other.companion === undefined) return false;
  const withoutIt = ({ fileDigest, profile }: ImageInfo): string => identityOf(fileDigest, profile, undefined);
  return withoutIt(one) === withoutIt(other);
}

function identityOf(fileDigest: string, profile: ImageProfile, companion: CompanionInfo | undefined): string {
  // The name of the companion does not matter, its bytes do; and what a VM needs at least changes no VM.
  const { initrd: _, chainloader: __, memoryMinMib: ___, ...rest } = profile;
  if (isBuiltIn(rest) && companion === undefined) return fileDigest;
  return createHash('sha256')
    .update([fileDigest, companion?.digest ?? '', JSON.stringify(rest)].join('\n'))
    .digest('hex');
}

/** What of the image stands in the spec of each of its VMs. */
export function specOfImage({
  path,
  digest,
  profile,
  companion,
  virtioConsole,
}: ImageInfo): Pick<MachineSpec, 'image' | 'imageDigest' | 'profile' | 'companion' | 'virtioConsole' | 'memoryMib'> {
  const plain = {
    ...{ image: path, imageDigest: digest, memoryMib: profile.memoryMib },
    ...(virtioConsole === true ? { virtioConsole } : {}),
  };
  if (isBuiltIn(profile) && companion === undefined) return plain;
  return { ...plain, profile, companion: companion && { path: companion.path, digest: companion.digest } };
}

/** @param what the file is to be, for errors @param whyNot why it is not */
async function inspect(
  path: string,
  what: string,
  whyNot: (file: OpenFile) => Promise<string | undefined>,
): Promise<CompanionInfo> {
  const file = await openFile(path, what);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw invalid(path, 'it is not a regular file');
    if (stat.size > IMAGE_BYTES_MAX)
      throw invalid(path, `it has ${stat.size} bytes, at most ${IMAGE_BYTES_MAX} are possible`);
    const why = await whyNot({ file, size: stat.size });
    if (why !== undefined) throw invalid(path, why, what);
    return { path, digest: await digestOf(file), bytes: stat.size };
  } finally {
    await file.close();
  }
}

async function openFile(path: string, what: string): Promise<FileHandle> {
  try {
    // A pipe without a writer would keep `open` waiting for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const remedy =
      what === 'guest image' ? 'Check the path; "npm run image" builds the built-in one' : 'The profile names it';
    throw new ShoalError('IMAGE_MISSING', `The ${what} ${path} cannot be read: ${whyUnreadable(cause)}. ${remedy}`, {
      cause,
      details: { path },
    });
  }
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}

/** An image of another kind should not only be refused. */
async function hint(file: OpenFile, boot: BootMethod): Promise<string> {
  const like = await looksLike(file);
  if (like === undefined) return '';
  const name = like === 'linux' ? 'linux' : like === 'pvh' ? 'built-in' : 'includeos';
  return (
    `. It looks made for boot "${like}", and its profile says "${boot}"; ` +
    `\`shoal image profile ${name}\` prints a profile to start from`
  );
}

function invalid(path: string, why: string, what = 'guest image'): ShoalError {
  return new ShoalError(
    'IMAGE_INVALID',
    `${path} is not a${/^[aeiou]/.test(what) ? 'n' : ''} ${what} that QEMU can boot: ${why}`,
    {
      details: { path, why },
    },
  );
}
