import { ShoalError } from '../errors.ts';
import type { ImageInfo } from '../hypervisor/mod.ts';
import type { ImageStore } from '../store/mod.ts';
import type { DataDir } from './data-dir.ts';
import { deployedImage, keepImage } from './kept-image.ts';

/**
 * The copy of the image that VMs are started from. What is deployed stays until something else is: a restart of a service, or of its
 * machine, changes no image.
 * @param isAnew whether that of the command line is taken instead
 * @param source that of the command line; undefined if it cannot be used
 * @throws IMAGE_MISSING; what `keepImage` throws
 */
export async function imageToStart(
  data: DataDir,
  images: ImageStore,
  isAnew: boolean,
  source: ImageInfo | undefined,
): Promise<ImageInfo> {
  const { last } = images;
  if (last === undefined || isAnew) {
    if (source === undefined) throw new ShoalError('IMAGE_MISSING', 'There is no image to start VMs from');
    // The copy comes first: the note of an image that there is none of would keep the next Shoal from starting.
    const kept = await keepImage(data, source);
    if (last !== undefined) await images.save({ image: kept.digest, before: null, deploy: null });
    return kept;
  }
  // A copy that was lost is made good if the command line has the same image.
  if (source?.digest === last.image) {
    const kept = await keepImage(data, source);
    // The file may have changed since it was looked at.
    if (kept.digest === last.image) return kept;
  }
  return deployedImage(data, last.image);
}
