import type { Params } from '../fleet/mod.ts';

/** Whether this host keeps VMs running at all: one that was drained, or that only takes requests, does not. */
export class VmHold {
  /** A host that has no VMs for as long as it runs. */
  readonly #isForGood: boolean;
  #isOn: boolean;

  constructor(isForGood: boolean) {
    this.#isForGood = isForGood;
    this.#isOn = isForGood;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set(on: boolean): void {
    this.#isOn = on || this.#isForGood;
  }

  /** The parameters that the router goes by. Those in the tables stay as they are. */
  inForce(params: Params): Params {
    return this.#isOn ? { ...params, minVmCount: 0, spareVmCount: 0 } : params;
  }
}
