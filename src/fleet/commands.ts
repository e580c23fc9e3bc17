import type { Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { Fleet } from './fleet.ts';
import { makeParams, type Params, paramsTable } from './params.ts';
import type { VmId } from './vm.ts';
import type { VmKeeper } from './vm-keeper.ts';
import type { Vm } from './vm-record.ts';

/** What an administrator may ask for. The reply says that it is under way; `vm-gone` and the other news say how it goes on. */
export type CommandMessage =
  /** No new requests, those in flight finish, then it ends. R1 makes the minimum good. VM_UNKNOWN if there is none that is ready. */
  | { readonly kind: 'drain-vm'; readonly vm: VmId; readonly replyTo: Ref<CommandReply> }
  /** Ends now; what was on it is tried once more elsewhere if it may be (R11). */
  | { readonly kind: 'remove-vm'; readonly vm: VmId; readonly replyTo: Ref<CommandReply> }
  /** Replaces VMs one after the other by new ones, each of which is ready before the old one goes. */
  | { readonly kind: 'restart-vms'; readonly vms: 'all' | readonly VmId[]; readonly replyTo: Ref<CommandReply> }
  /**
   * Sets `min_vm_count`, and drains what runs beyond it, longest idle first. Load brings VMs back by R3. The change holds for this process; whoever
   * keeps `system_params` writes `params` of the reply there.
   */
  | { readonly kind: 'scale'; readonly vmCount: number; readonly replyTo: Ref<CommandReply> };

export type CommandReply =
  | {
      readonly ok: true;
      /** The VMs that it concerns. */
      readonly vms: readonly VmId[];
      readonly params: Params;
    }
  /** VM_UNKNOWN, or CONFIG_VALUE for a figure that cannot be. */
  | { readonly ok: false; readonly error: ErrorEnvelope };

/** Carries out what an administrator asked for. */
export class Commands {
  readonly #fleet: Fleet;
  readonly #vms: VmKeeper;

  constructor(fleet: Fleet, vms: VmKeeper) {
    this.#fleet = fleet;
    this.#vms = vms;
  }

  run(message: CommandMessage): void {
    message.replyTo.tell(this.#reply(message));
  }

  #reply(message: CommandMessage): CommandReply {
    try {
      return { ok: true, vms: this.#carryOut(message), params: this.#fleet.params };
    } catch (error) {
      return { ok: false, error: toEnvelope(error) };
    }
  }

  #carryOut(message: CommandMessage): readonly VmId[] {
    switch (message.kind) {
      case 'drain-vm':
        return this.#drain([this.#known(message.vm, ['ready', 'draining'])], 'an administrator drains it');
      case 'remove-vm':
        return [this.#remove(this.#known(message.vm))];
      case 'restart-vms':
        return this.#restart(message.vms);
      case 'scale':
        return this.#scale(message.vmCount);
    }
  }

  #remove(vm: Vm): VmId {
    this.#vms.stop({
      rule: 'command',
      vm: vm.id,
      why: 'an administrator removes it',
      verdict: undefined,
      figures: { in_flight: vm.inFlight },
    });
    return vm.id;
  }

  #restart(vms: 'all' | readonly VmId[]): readonly VmId[] {
    const ready = ['ready'] as const;
    const asked =
      vms === 'all'
        ? [...this.#fleet.vms].filter((vm) => vm.state === 'ready')
        : vms.map((id) => this.#known(id, ready));
    for (const vm of asked) this.#fleet.apply({ kind: 'vm-replace', vm: vm.id });
    return asked.map((vm) => vm.id);
  }

  #scale(vmCount: number): readonly VmId[] {
    const params = makeParams({ ...paramsTable(this.#fleet.params), min_vm_count: vmCount });
    this.#fleet.apply({ kind: 'params', params });
    return [...this.#fleet.hosts].flatMap((host) => {
      const ready = [...this.#fleet.vms].filter((vm) => vm.host === host.name && vm.state === 'ready');
      const surplus = ready.sort(idlestFirst).slice(0, Math.max(0, ready.length - vmCount));
      return this.#drain(surplus, `scaled to ${vmCount}`);
    });
  }

  #drain(vms: readonly Vm[], why: string): readonly VmId[] {
    for (const vm of vms) {
      const figures = { in_flight: vm.inFlight, min_vm_count: this.#fleet.params.minVmCount };
      this.#vms.drain({ rule: 'command', vm: vm.id, why, ejected: false, figures });
    }
    return vms.map((vm) => vm.id);
  }

  #known(id: VmId, states?: readonly Vm['state'][]): Vm {
    const vm = this.#fleet.vm(id);
    if (vm === undefined) throw new ShoalError('VM_UNKNOWN', `There is no VM ${id}`, { details: { vm: id } });
    if (vm.state === 'unknown') throw unsuitable(vm, `its host ${vm.host} is out of reach`);
    if (states !== undefined && !states.includes(vm.state)) throw unsuitable(vm, `it is ${vm.state}`);
    return vm;
  }
}

function unsuitable(vm: Vm, why: string): ShoalError {
  return new ShoalError('VM_UNKNOWN', `VM ${vm.id} cannot be told so: ${why}`, {
    details: { vm: vm.id, state: vm.state },
  });
}

/** Fewest in flight, then longest idle, then youngest. */
function idlestFirst(a: Vm, b: Vm): number {
  return a.inFlight - b.inFlight || b.freeCount - a.freeCount || b.id - a.id;
}
