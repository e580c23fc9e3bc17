import { ShoalError } from '../../errors.ts';
import type { Found, VmParameters } from '../../hypervisor/mod.ts';
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
  /** What the host has of each VM. */
  readonly list: () => Promise<readonly Found[]>;
}

/**
 * Begins a deploy of an image that is kept. Copies that nobody needs any more go.
 * @throws IMAGE_MISSING; what `Deploys.deploy` throws
 */
export async function beginDeploy(
  { data, deploys, parameters, settings, list }: BeginDeployDeps,
  order: DeployOrder,
): Promise<void> {
  if (!(await hasImage(data, order.image))) {
    throw new ShoalError('IMAGE_MISSING', `This host has no image ${order.image}: it was not sent, or sent long ago`);
  }
  // Before the deploy: if the host cannot be looked at, none begins, and which images are needed is asked last.
  const found = await list();
  // A host that is to have no VMs tries none.
  await deploys.deploy(settings.holdsVms ? { ...order, canary: 0 } : order);
  removeOldImages(data, [parameters.imageDigest, ...deploys.needed], found);
}
