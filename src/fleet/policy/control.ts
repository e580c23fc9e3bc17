import type { Fleet } from '../state/fleet.ts';
import { isServing, mayRelay, type Vm } from '../state/vm.ts';
import type { Address } from '../values/address.ts';
import type { Relay, RelayedCommand } from '../values/relay.ts';
import type { Rule } from '../values/rule.ts';
import { eventOfVm } from './events.ts';
import { NOTHING, type Reaction } from './reaction.ts';

/** A command that has not come back from its guest by then goes direct. */
export const RELAY_MS = 200;

export interface CommandGrounds {
  /** That of the VM to start or stop. */
  readonly address: Address;
  /** The rule that decided the command. */
  readonly rule: Rule | undefined;
  /** The VM to stop is ended because it does not work. */
  readonly isFaulty?: boolean;
}

/** R10: the way that a start or stop command takes to the controller. It changes nothing of what was decided. */
export function send(fleet: Fleet, command: RelayedCommand, grounds: CommandGrounds, nowMs: number): Reaction {
  const direct: Reaction = { transitions: [], effects: [{ kind: 'command', command }] };
  // A controller starts its first VMs by itself.
  if (fleet.control === 'direct' || (command.kind === 'start' && grounds.rule === 'R1')) return direct;
  const { vm, kind } = command;
  const through = kind === 'start' ? freest(fleet, nowMs) : itself(fleet.vm(vm), grounds, fleet.ruleMs(nowMs));
  const { name } = fleet.host;
  const what = `the ${kind} command for VM ${vm}`;
  if (typeof through === 'string') {
    const told = eventOfVm('vm-relay', vm, name, `${what} goes direct: ${through}`, { rule: 'R10' });
    return { transitions: [], effects: [told, ...direct.effects] };
  }
  const figures = { through: through.id, in_flight: through.inFlight };
  const text = `${what} goes through ${kind === 'start' ? `VM ${through.id}, the freest` : 'that VM'}`;
  return {
    transitions: [],
    effects: [
      eventOfVm('vm-relay', vm, name, text, { rule: 'R10', figures }),
      { kind: 'relay', relay: { command, address: grounds.address, through: through.id } },
    ],
  };
}

/** The guest did not relay the command in time: it goes direct, and the guest is left alone for a while. */
export function onRelayOverdue(fleet: Fleet, { command, through }: Relay, nowMs: number): Reaction {
  const { kind, vm: id } = command;
  const vm = fleet.vm(id);
  const isWanted = kind === 'start' ? vm?.state === 'booting' : vm?.state === 'stopping';
  const missed: Reaction['transitions'] =
    fleet.vm(through) === undefined ? [] : [{ kind: 'vm-relay-missed', vm: through, nowMs }];
  if (!isWanted) return { ...NOTHING, transitions: missed };
  const figures = { through, limit_ms: RELAY_MS };
  const text = `the ${kind} command for VM ${id} goes direct: VM ${through} did not relay it within ${RELAY_MS} ms`;
  return {
    transitions: missed,
    effects: [eventOfVm('vm-relay', id, fleet.host.name, text, { rule: 'R10', figures }), { kind: 'command', command }],
  };
}

/** The ready VM with the fewest requests, in the order of R4. @returns why there is none, for people */
function freest(fleet: Fleet, nowMs: number): Vm | string {
  const ruleMs = fleet.ruleMs(nowMs);
  let best: Vm | undefined;
  for (const vm of fleet.group('ready')) {
    if (isServing(vm) && !vm.congested && mayRelay(vm, ruleMs) && (best === undefined || isFreer(vm, best))) best = vm;
  }
  return best ?? 'no VM is ready to relay it';
}

function isFreer(a: Vm, b: Vm): boolean {
  const order = a.inFlight - b.inFlight || a.cpuPercent - b.cpuPercent || a.ramBytes - b.ramBytes || a.id - b.id;
  return order < 0;
}

function itself(vm: Vm | undefined, { isFaulty }: CommandGrounds, ruleMs: number): Vm | string {
  if (vm === undefined || !vm.linked) return 'the VM has no link to relay it';
  if (isFaulty === true) return 'the VM is ended because it does not work';
  return mayRelay(vm, ruleMs) ? vm : 'the VM did not relay the command before';
}
