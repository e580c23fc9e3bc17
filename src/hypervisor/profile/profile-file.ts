import { extname } from 'node:path';
import type { ImageProfile } from './profile.ts';

const SUFFIX = '.shoal.json';

/** Where the profile of an image may stand: `NAME.elf.shoal.json`, `NAME.shoal.json`. */
export function profilePaths(image: string): readonly string[] {
  return [...new Set([`${image}${SUFFIX}`, profilePath(image)])];
}

/** Where Shoal writes the profile of an image. */
export function profilePath(image: string): string {
  return `${withoutExtension(image)}${SUFFIX}`;
}

/** The path of an image without its extension: files that belong to it are named after that. */
export function withoutExtension(image: string): string {
  const extension = extname(image);
  // A kernel's name often ends in its version, which is no extension.
  return /^\.[A-Za-z]\w{0,7}$/.test(extension) ? image.slice(0, -extension.length) : image;
}

/** A profile as the content of a file. Fields that are left out have their defaults. */
export function profileText(profile: Partial<ImageProfile>): string {
  return `${JSON.stringify(profile, undefined, 2)}\n`;
}
