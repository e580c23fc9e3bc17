import type { Params } from '../fleet/mod.ts';
import { BUILT_IN_PROFILE, type ImageProfile } from '../hypervisor/mod.ts';
import { withProfile } from './profile-params.ts';

/** Whether this host keeps VMs running at all: one that was drained, or that only takes requests, does not. */
export class VmHold {
  /** A host that has no VMs for as long as it runs. */
  readonly #isForGood: boolean;
  #profile: ImageProfile;
  #isOn: boolean;

  constructor(isForGood: boolean, profile: ImageProfile = BUILT_IN_PROFILE) {
    this.#isForGood = isForGood;
    this.#profile = profile;
    this.#isOn = isForGood;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set(on: boolean): void {
    this.#isOn = on || this.#isForGood;
  }

  /** From now on VMs are of another image. */
  setProfile(profile: ImageProfile): void {
    this.#profile = profile;
  }

  /** The parameters that the router goes by. Those in the tables stay as they are. */
  inForce(params: Params): Params {
    const fitting = withProfile(params, this.#profile);
    return this.#isOn ? { ...fitting, minVmCount: 0, spareVmCount: 0 } : fitting;
  }
}
