import { ShoalError } from '../../errors.ts';
import { shortDigest } from '../../fleet/mod.ts';
import { differInCompanionOnly, type ImageInfo } from '../../hypervisor/mod.ts';
import { keepImage } from '../kept-image.ts';
import { type BeginDeployDeps, beginDeploy } from './begin-deploy.ts';
import type { Deploys } from './deploys.ts';
import type { KeptImages } from './kept-images.ts';

export interface OwnDeployDeps extends BeginDeployDeps {
  readonly deploys: Pick<Deploys, 'deploy' | 'ended' | 'image' | 'needed'>;
  readonly kept: Pick<KeptImages, 'load'>;
  /** The images of the VMs that the router knows. */
  readonly serving: () => Promise<readonly string[]>;
}

/** How a deploy of this host ended. */
export interface OwnDeploy {
  readonly digest: string;
  /** `same`: the image runs already, and no other. */
  readonly end: 'deployed' | 'rolled-back' | 'refused' | 'same';
  /** Of a roll-back or a refusal. */
  readonly why: string | null;
}

/**
 * Replaces the image of this host's VMs: the rest follow as soon as one VM of it is ready. Resolves at the end.
 * @throws DEPLOY_RUNNING if another deploy comes first; what `keepImage` and `beginDeploy` throw
 */
export async function deployHere(deps: OwnDeployDeps, image: ImageInfo): Promise<OwnDeploy> {
  const { data, deploys, kept, serving } = deps;
  await deploys.ended();
  const { digest } = await keepImage(data, image);
  // A Shoal that found another image at its start has adopted VMs of the one before.
  if (digest === deploys.image && (await serving()).every((one) => one === digest))
    return { digest, end: 'same', why: null };
  // If only the service file is new, it was looked at when it was built: the image need not be booted once.
  const isChecked = differInCompanionOnly((await kept.load(deploys.image)).image, (await kept.load(digest)).image);
  await beginDeploy(deps, { image: digest, canary: 1, canaryMs: 0, isChecked });
  const last = await deploys.ended();
  if (last?.image !== digest) {
    const why = `The deploy of image ${shortDigest(digest)} is no longer the last one: it has ended, and another one has begun`;
    throw new ShoalError('DEPLOY_RUNNING', why, { details: { image: digest } });
  }
  const { phase, why } = last;
  return { digest, end: phase === 'deployed' || phase === 'refused' ? phase : 'rolled-back', why };
}
