import { ShoalError } from '../../errors.ts';
import type { VmParameters } from '../../hypervisor/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { hasImage, removeOldImages } from '../kept-image.ts';
import type { Settings } from '../settings.ts';
import type { DeployOrder, Deploys } from './deploys.ts';

/** Limits of what an administrator may ask for. */
export const CANARIES_MAX = 1_000;
export const CANARY_SECONDS_MAX = 3_600;

export interface BeginDeployDeps {
  readonly data: DataDir;
  readonly deploys: Pick<Deploys, 'deploy' | 'needed'>;
  readonly parameters: Pick<VmParameters, 'imageDigest'>;
  readonly settings: Pick<Settings, 'holdsVms'>;
  /** As `imagesInUse` of this fleet. */
  readonly inUse: () => Promise<readonly string[] | undefined>;
}

/**
 * Begins a deploy of an image that is kept. Copies that nobody needs any more go.
 * @throws IMAGE_MISSING; what `Deploys.deploy` throws
 */
export async function beginDeploy(
  { data, deploys, parameters, settings, inUse }: BeginDeployDeps,
  order: DeployOrder,
): Promise<void> {
  if (!(await hasImage(data, order.image))) {
    throw new ShoalError('IMAGE_MISSING', `This host has no image ${order.image}: it was not sent, or sent long ago`);
  }
  // Before the deploy: if it cannot be asked, none begins. Which images are needed is asked last: VMs that are made meanwhile are of those.
  const running = await inUse();
  // A host that is to have no VMs tries none.
  await deploys.deploy(settings.holdsVms ? { ...order, canary: 0 } : order);
  removeOldImages(data, [parameters.imageDigest, ...deploys.needed], running);
}
