import { findProfile, type ProfileChoice } from '../profile/profile-source.ts';
import { checkFirmware } from './firmware.ts';
import { type ImageInfo, inspectImage } from './image.ts';

/** An image with what its profile says. */
export interface LoadedImage extends ImageInfo {
  /** Where the profile stands, for people; undefined if the image has none. */
  readonly profileFrom: string | undefined;
}

/**
 * Reads an image, its profile and the file that it boots with, and checks that they fit, and that what its machine starts with is there.
 * @throws IMAGE_MISSING, IMAGE_INVALID, PROFILE_INVALID
 */
export async function loadImage(path: string, choice: ProfileChoice = {}): Promise<LoadedImage> {
  const { profile, companion, from } = await findProfile(path, choice);
  const image = await inspectImage(path, profile, companion);
  checkFirmware(profile);
  return { ...image, profileFrom: from };
}
