import { readdirSync } from 'node:fs';
import type { VmId } from '../fleet/mod.ts';
import type { Hypervisor } from '../hypervisor/mod.ts';

/** Numbers for VMs, each above every one that has left a trace: a run directory, or a log. */
export class VmIds {
  #last: VmId;

  private constructor(last: VmId) {
    this.#last = last;
  }

  static async after(hypervisor: Hypervisor, logFolder: string): Promise<VmIds> {
    const found = (await hypervisor.list()).map((one) => (one.kind === 'unknown' ? 0 : one.manifest.spec.vm));
    const logged = readdirSync(logFolder).map((name) => Number(/^vm-(\d+)\.log/.exec(name)?.[1] ?? 0));
    return new VmIds(Math.max(0, ...found, ...logged));
  }

  next(): VmId {
    this.#last += 1;
    return this.#last;
  }
}
