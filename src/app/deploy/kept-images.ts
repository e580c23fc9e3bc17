import type { Params } from '../../fleet/mod.ts';
import {
  type Accelerator,
  BUILT_IN_PROFILE,
  type ImageInfo,
  type ImageProfile,
  type QemuBuild,
  specOfImage,
  type VmParameters,
} from '../../hypervisor/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { deployedImage } from '../kept-image.ts';
import { checkMemory, memoryMibFor, withProfile } from '../profile-params.ts';

export interface KeptImagesOptions {
  readonly data: DataDir;
  readonly params: () => Params;
  /** Which accelerator VMs of an image get. @throws CONFIG_VALUE if its profile rules out the one that was asked for */
  readonly acceleratorOf: (image: ImageInfo) => Promise<Accelerator>;
  /** Which QEMU they run on. @throws CONFIG_VALUE if the one that was asked for cannot run them */
  readonly qemuOf: (profile: ImageProfile, accelerator: Accelerator) => QemuBuild | undefined;
}

type Machine = Pick<VmParameters, 'accelerator' | 'qemu'>;

interface Known extends Machine {
  readonly image: ImageInfo;
}

/** How VMs are made of each image that this Shoal may start: as its profile says, which was kept with it. */
export class KeptImages {
  readonly #options: KeptImagesOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: KeptImagesOptions) {
    this.#options = options;
  }

  add(image: ImageInfo, { accelerator, qemu }: Machine): Known {
    const known = { image, accelerator, qemu };
    this.#known.set(image.digest, known);
    return known;
  }

  /** @throws IMAGE_MISSING if its copy is not there any more; what `acceleratorOf` and `qemuOf` throw */
  async load(digest: string): Promise<Known> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const image = await deployedImage(this.#options.data, digest);
    const accelerator = await this.#options.acceleratorOf(image);
    return this.add(image, { accelerator, qemu: this.#options.qemuOf(image.profile, accelerator) });
  }

  /** Of an image that was loaded; of another one nothing is known. */
  parametersOf(digest: string): Partial<VmParameters> {
    const known = this.#known.get(digest);
    if (known === undefined) return {};
    const { image, accelerator, qemu } = known;
    const params = this.#options.params();
    const { bootTimeoutMs } = withProfile(params, image.profile);
    const memoryMib = memoryMibFor(params, image.profile);
    // What the profile of another image says must not stay.
    const nothing = { profile: undefined, companion: undefined, virtioConsole: undefined };
    return { ...nothing, ...specOfImage(image), memoryMib, accelerator, qemu, bootTimeoutMs };
  }

  /** @throws CONFIG_VALUE if VMs of one of these images would have too little memory */
  checkMemory(digests: readonly string[], params: Params): void {
    for (const digest of digests) {
      const known = this.#known.get(digest);
      if (known !== undefined) checkMemory(params, known.image);
    }
  }

  /** Undefined if it was not loaded. */
  profileOf(digest: string): ImageProfile | undefined {
    return this.#known.get(digest)?.image.profile;
  }

  /** The most memory that a VM of one of these images takes, in MiB. */
  mostMemoryMib(digests: readonly string[]): number {
    const params = this.#options.params();
    return Math.max(...this.#profilesOf(digests).map((profile) => memoryMibFor(params, profile)));
  }

  /** The profile with the longest time to boot among those of these images. */
  slowestProfile(digests: readonly string[]): ImageProfile {
    return this.#profilesOf(digests).reduce((slowest, next) =>
      next.bootTimeoutMs > slowest.bootTimeoutMs ? next : slowest,
    );
  }

  /** If none of the images was loaded, they count as the built-in one. */
  #profilesOf(digests: readonly string[]): readonly ImageProfile[] {
    const profiles = digests.flatMap((digest) => this.#known.get(digest)?.image.profile ?? []);
    return profiles.length === 0 ? [BUILT_IN_PROFILE] : profiles;
  }
}
