import type { Ref } from '../../actors/mod.ts';
import type { Address, VmId } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { MachineSpec, Manifest } from '../port.ts';
import type { VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { RelayedLine } from '../vm/vm-messages.ts';
import type { ControllerOptions, VmParameters } from './controller-options.ts';
import type { VmTable } from './vm-table.ts';

export interface VmStarterOptions extends Pick<ControllerOptions, 'parameters' | 'imageOf' | 'fresh'> {
  readonly vms: VmTable;
  readonly logFolder: string | undefined;
  readonly events: Ref<HostVmEvent>;
  readonly relays: Ref<RelayedLine>;
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

  /** @param digest of the image; default: that of the parameters */
  prepare(vm: VmId, address: Address, digest?: string): void {
    // The command was repeated.
    if (this.#options.vms.has(vm)) return;
    const parameters = this.#parametersOf(digest);
    this.#add('new', { vm, address, ...specOf(parameters) }, parameters);
  }

  #parametersOf(digest: string | undefined): VmParameters {
    const { imageOf } = this.#options;
    if (digest === undefined || imageOf === undefined) return this.#parameters;
    return { ...this.#parameters, ...imageOf(digest), imageDigest: digest };
  }

  adopt(manifest: Manifest): void {
    const { vms, fresh } = this.#options;
    this.#add('found', manifest.spec);
    if (fresh !== true) return;
    vms.tell(manifest.spec.vm, { kind: 'stop', reason: 'started-afresh', why: 'Shoal was started afresh' });
  }

  #add(origin: VmTask['origin'], spec: MachineSpec, { bootTimeoutMs, stopLimits } = this.#parameters): void {
    const { vms, logFolder, events, relays, notices } = this.#options;
    vms.add({ origin, spec, bootTimeoutMs, stopLimits, logFolder, events, relays, notices });
  }
}

/** Without what is as by default: a VM of the built-in image has a small spec, of which there may be thousands. */
function specOf(parameters: VmParameters): Omit<MachineSpec, 'vm' | 'address'> {
  const { image, imageDigest, profile, companion, accelerator, network, virtioConsole, qemu } = parameters;
  const { memoryMib, statusIntervalMs, textBytesMax } = parameters;
  return {
    ...{ image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax },
    ...(network === 'none' ? { network } : {}),
    ...(virtioConsole === undefined ? {} : { virtioConsole }),
    ...(qemu === undefined ? {} : { qemu }),
    ...(profile === undefined ? {} : { profile, companion }),
  };
}
