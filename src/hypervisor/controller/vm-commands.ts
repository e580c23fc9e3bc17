import type { Context } from '../../actors/mod.ts';
import type { Found, Hypervisor } from '../port.ts';
import type { ControllerMessage } from './controller-messages.ts';
import type { Reconciliation } from './reconciliation.ts';
import type { VmTable } from './vm-table.ts';

type VmCommand = Extract<ControllerMessage, { kind: 'start' | 'stop' }>;

/** What was found of a VM that has no actor. */
export interface VmFound {
  readonly kind: 'found';
  readonly command: VmCommand;
  readonly found: Found | undefined;
}

export interface VmCommandsOptions {
  readonly hypervisor: Hypervisor;
  readonly vms: VmTable;
  readonly reconciliation: Reconciliation;
  /** Has `settle` called. */
  readonly context: Pick<Context<VmFound>, 'pipe'>;
}

/** Commands to a VM, whether it has an actor or not. */
export class VmCommands {
  readonly #options: VmCommandsOptions;

  constructor(options: VmCommandsOptions) {
    this.#options = options;
  }

  obey(command: VmCommand): void {
    const { context, hypervisor, vms } = this.#options;
    const { vm } = command;
    if (vms.has(vm)) return vms.tell(vm, command);
    // It has no actor; but the fleet frees its address by the controller's word, so the host is looked at first.
    const unknown = (error: unknown): Found => ({ kind: 'unknown', directory: '', vm, why: String(error) });
    context.pipe(
      hypervisor.find(vm),
      (found) => ({ kind: 'found', command, found }),
      (error) => ({ kind: 'found', command, found: unknown(error) }),
    );
  }

  settle({ command, found }: VmFound): void {
    const { vms, reconciliation } = this.#options;
    const { vm } = command;
    if (vms.has(vm)) vms.tell(vm, command);
    else reconciliation.settle(vm, found, () => vms.tell(vm, command));
  }
}
