import type { Ref } from '../../actors/mod.ts';
import type { Address, VmId } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { Manifest } from '../port.ts';
import type { VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { ControllerOptions, VmParameters } from './controller-options.ts';
import type { VmTable } from './vm-table.ts';

export interface VmStarterOptions extends Pick<ControllerOptions, 'parameters' | 'relays' | 'fresh'> {
  readonly vms: VmTable;
  readonly logFolder: string | undefined;
  readonly events: Ref<HostVmEvent>;
  readonly notices: Ref<HostNotice>;
}

/** Starts an actor for each VM that is to be made, or that was found running. */
export class VmStarter {
  readonly #options: VmStarterOptions;
  #parameters: VmParameters;

  constructor(options: VmStarterOptions) {
    this.#options = options;
    this.#parameters = options.parameters;
  }

  get parameters(): VmParameters {
    return this.#parameters;
  }

  setParameters(change: Partial<VmParameters>): void {
    this.#parameters = { ...this.#parameters, ...change };
  }

  prepare(vm: VmId, address: Address): void {
    // The command was repeated.
    if (this.#options.vms.has(vm)) return;
    const { image, imageDigest, profile, companion, accelerator, network, memoryMib, statusIntervalMs, textBytesMax } =
      this.#parameters;
    const built = { vm, address, image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax };
    const made = network === 'none' ? { ...built, network } : built;
    // A VM of the built-in image has the smaller spec, of which there may be thousands.
    this.#add({ kind: 'new', spec: profile === undefined ? made : { ...made, profile, companion } });
  }

  adopt(manifest: Manifest): void {
    const { vms, fresh } = this.#options;
    this.#add({ kind: 'found', manifest });
    if (fresh !== true) return;
    vms.tell(manifest.spec.vm, { kind: 'stop', reason: 'started-afresh', why: 'Shoal was started afresh' });
  }

  #add(origin: VmTask['origin']): void {
    const { vms, logFolder, events, relays, notices } = this.#options;
    const { bootTimeoutMs, stopLimits } = this.#parameters;
    vms.add({ origin, bootTimeoutMs, stopLimits, logFolder, events, relays, notices });
  }
}
