import { ShoalError } from '../../errors.ts';
import type { Found, VmParameters } from '../../hypervisor/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { hasImage, removeOldImages } from '../kept-image.ts';
import type { DeployOrder, Deploys } from './deploys.ts';

export interface BeginDeployDeps {
  readonly data: DataDir;
  readonly deploys: Pick<Deploys, 'deploy' | 'needed'>;
  readonly parameters: Pick<VmParameters, 'imageDigest'>;
  /** What the host has of each VM. */
  readonly list: () => Promise<readonly Found[]>;
}

/**
 * Begins a deploy of an image that is kept. Copies that nobody needs any more go.
 * @throws IMAGE_MISSING; what `Deploys.deploy` throws
 */
export async function beginDeploy(
  { data, deploys, parameters, list }: BeginDeployDeps,
  order: DeployOrder,
): Promise<void> {
  if (!(await hasImage(data, order.image))) {
    throw new ShoalError('IMAGE_MISSING', `This host has no image ${order.image}: it was not sent, or sent long ago`);
  }
  // Before the deploy: if the host cannot be looked at, none begins, and which images are needed is asked last.
  const found = await list();
  await deploys.deploy(order);
  removeOldImages(data, [parameters.imageDigest, ...deploys.needed], found);
}
