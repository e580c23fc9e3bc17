import { ShoalError, toEnvelope } from '../../errors.ts';
import type { Fleet } from '../state/fleet.ts';
import { isStarting, type LiveState, type Vm } from '../state/vm.ts';
import type { CommandMessage } from '../values/command-messages.ts';
import type { Grounds } from '../values/grounds.ts';
import { makeParams, type Params, paramsTable } from '../values/params.ts';
import type { VmId, WantedEnd } from '../values/vm-id.ts';
import { beginDeploy, outdatedIn, rollBack } from './deploy-steps.ts';
import { drain, stop } from './enact.ts';
import { combine, NOTHING, type Reaction } from './reaction.ts';

/** A command that is obeyed. */
interface Obeyed extends Reaction {
  readonly vms: readonly VmId[];
  /** If they change. */
  readonly params?: Params;
}

/** What follows from what an administrator asks for, the reply included. */
export function onCommand(fleet: Fleet, message: CommandMessage, nowMs: number): Reaction {
  const { replyTo } = message;
  try {
    const { vms, params = fleet.params, ...reaction } = obey(fleet, message, nowMs);
    const effects = [...reaction.effects, { kind: 'reply', replyTo, reply: { ok: true, vms, params } } as const];
    return { ...reaction, effects };
  } catch (error) {
    return { transitions: [], effects: [{ kind: 'reply', replyTo, reply: { ok: false, error: toEnvelope(error) } }] };
  }
}

function obey(fleet: Fleet, message: CommandMessage, nowMs: number): Obeyed {
  switch (message.kind) {
    case 'drain-vm': {
      const vm = known(fleet, message.vm, ['ready', 'draining']);
      return { ...drained(fleet, [vm], DRAINED, nowMs), vms: [vm.id] };
    }
    case 'drain-vms':
      return drainAll(fleet, nowMs);
    case 'remove-vm': {
      const { id, inFlight } = known(fleet, message.vm);
      const end = { reason: 'removed', why: 'an administrator removes it' } as const;
      const decision = { rule: 'command', vm: id, ...end, fault: undefined } as const;
      return { ...stop(fleet, { ...decision, figures: { in_flight: inFlight } }, nowMs), vms: [id] };
    }
    case 'restart-vms':
      return restart(fleet, message.vms);
    case 'scale':
      return scale(fleet, message.vmCount, nowMs);
    case 'deploy':
      return { ...beginDeploy(fleet, message.deploy), vms: outdatedIn(fleet, message.deploy.image) };
    case 'roll-back':
      return { ...rollBack(fleet, message.why), vms: [] };
  }
}

const DRAINED = { reason: 'drained', why: 'an administrator drains it' } as const;

function drainAll(fleet: Fleet, nowMs: number): Obeyed {
  if (fleet.host.reach === 'away') return { ...NOTHING, vms: [] };
  const starting = [...fleet.group('starting')].filter(isStarting);
  const others = [...fleet.group('ready'), ...fleet.group('draining')];
  return {
    ...combine(
      ...starting.map(({ id }) => ended(fleet, id, DRAINED, fleet.params.minVmCount, nowMs)),
      drained(fleet, others, DRAINED, nowMs),
    ),
    vms: [...starting, ...others].map(({ id }) => id).sort((a, b) => a - b),
  };
}

function restart(fleet: Fleet, vms: 'all' | readonly VmId[]): Obeyed {
  const asked = vms === 'all' ? [...fleet.group('ready')] : vms.map((id) => known(fleet, id, ['ready']));
  return {
    transitions: asked.map(({ id }) => ({ kind: 'vm-replace', vm: id })),
    effects: [],
    vms: asked.map(({ id }) => id),
  };
}

/** VMs that are still starting go first, then those that are ready. */
function scale(fleet: Fleet, vmCount: number, nowMs: number): Obeyed {
  const params = makeParams({ ...paramsTable(fleet.params), min_vm_count: vmCount });
  // A host out of reach cannot be told to end any.
  if (fleet.host.reach === 'away') {
    return { transitions: [{ kind: 'params', params }], effects: [], vms: [], params };
  }
  const order = 'starting VMs go first, then those with the fewest requests in flight, then the longest idle';
  const considered = [{ what: 'the other VMs', why: order }];
  const end = { reason: 'scaled-down', why: `scaled to ${vmCount}`, considered } as const;
  const starting = [...fleet.group('starting')].filter(isStarting).sort((a, b) => b.id - a.id);
  const ready = [...fleet.group('ready')].sort(idlestFirst);
  const beyond = Math.max(0, starting.length + ready.length - vmCount);
  const first = starting.slice(0, beyond);
  const surplus = ready.slice(0, beyond - first.length);
  return {
    ...combine(
      { transitions: [{ kind: 'params', params }], effects: [] },
      ...first.map(({ id }) => ended(fleet, id, end, vmCount, nowMs)),
      drained(fleet, surplus, end, nowMs, vmCount),
    ),
    vms: [...first, ...surplus].map(({ id }) => id),
    params,
  };
}

type End = WantedEnd & Pick<Grounds, 'considered'>;

/** Of a VM that starts. */
function ended(fleet: Fleet, vm: VmId, end: End, minVmCount: number, nowMs: number): Reaction {
  const figures = { in_flight: 0, min_vm_count: minVmCount };
  return stop(fleet, { rule: 'command', vm, ...end, fault: undefined, figures }, nowMs);
}

function drained(
  fleet: Fleet,
  vms: readonly Vm[],
  end: End,
  nowMs: number,
  minVmCount = fleet.params.minVmCount,
): Reaction {
  return combine(
    ...vms.map(({ id, inFlight, state }) => {
      const figures = { in_flight: inFlight, min_vm_count: minVmCount };
      const decision = { rule: 'command', vm: id, ...end, ejected: false, figures } as const;
      return state === 'ready' ? drain(fleet, decision, nowMs) : NOTHING;
    }),
  );
}

function known(fleet: Fleet, id: VmId, states?: readonly LiveState[]): Vm {
  const vm = fleet.vm(id);
  if (vm === undefined) throw new ShoalError('VM_UNKNOWN', `There is no VM ${id}`, { details: { vm: id } });
  const { name, reach } = fleet.host;
  if (reach === 'away') throw unsuitable(vm, `its host ${name} is out of reach`);
  if (states === undefined || states.includes(vm.state)) return vm;
  if (vm.spare) throw unsuitable(vm, `it is a spare (${vm.state}) and takes no requests; \`shoal rm ${id}\` ends it`);
  throw unsuitable(vm, `it is ${vm.state}`);
}

function unsuitable(vm: Vm, why: string): ShoalError {
  return new ShoalError('VM_STATE', `VM ${vm.id} cannot do that: ${why}`, { details: { vm: vm.id, state: vm.state } });
}

/** Fewest in flight, then longest idle, then youngest. */
function idlestFirst(a: Vm, b: Vm): number {
  return a.inFlight - b.inFlight || b.freeCount - a.freeCount || b.id - a.id;
}
