import type { Fleet } from '../state/fleet.ts';
import { isPossibleMemory } from '../state/host.ts';
import type { NewVm, Vm } from '../state/vm.ts';
import { isNewReport } from '../state/vm-changes.ts';
import { formatAddress } from '../values/address.ts';
import type { HostEvent } from '../values/host-messages.ts';
import type { VmEnd, VmId } from '../values/vm-id.ts';
import { quarantinedUntilMs } from './back-off.ts';
import { bootOf, failed, hostAway } from './enact.ts';
import { eventOfHost, eventOfVm } from './events.ts';
import { combine, NOTHING, type Reaction } from './reaction.ts';
import { takeAllBack, writeOff } from './retries.ts';

/** What the two clocks say now: monotonic milliseconds, and milliseconds since the epoch. */
export interface Now {
  readonly nowMs: number;
  readonly epochMs: number;
}

type Event<K extends HostEvent['kind']> = Extract<HostEvent, { readonly kind: K }>;

/** What follows from what a controller tells. */
export function onHostEvent(fleet: Fleet, event: HostEvent, now: Now): Reaction {
  if (event.kind === 'host-down') return hostAway(fleet, event.why, now.nowMs);
  if (event.kind === 'host-up' && isOfAnother(fleet, event)) return NOTHING;
  const up = heard(fleet, event, now.nowMs);
  const reaction = told(fleet, event, now);
  // Nearly always: a report is not to pay for lists that are joined.
  return up === NOTHING ? reaction : combine(up, reaction);
}

function told(fleet: Fleet, event: Exclude<HostEvent, { kind: 'host-down' }>, now: Now): Reaction {
  const { nowMs } = now;
  switch (event.kind) {
    case 'host-up':
      return onHostUp(fleet, event, nowMs);
    case 'host-stats': {
      const { availableBytes, vmBytes } = event;
      const memory = { availableBytes, vmBytes };
      return isPossibleMemory(memory)
        ? { transitions: [{ kind: 'host-memory', memory, nowMs }], effects: [] }
        : NOTHING;
    }
    case 'vm-prepared':
      return onPrepared(fleet, event, nowMs);
    case 'vm-paused':
      return onPaused(fleet, event);
    case 'vm-booting':
      return NOTHING;
    case 'vm-answering':
      return onAnswering(fleet, event);
    case 'vm-report':
      return onReport(fleet, event, now);
    case 'vm-adopted':
      return onAdopted(fleet, event, now);
    case 'vm-gone':
      return onGone(fleet, event, nowMs);
  }
}

/** What stands before it in the mailbox was told in part to the router before this one: it ends no census of this one. */
function isOfAnother({ host }: Fleet, { census }: Event<'host-up'>): boolean {
  return host.reach === 'unseen' && census !== host.census;
}

/**
 * Whatever it tells, a controller that is heard is in reach. But before it has said what it adopted, R1 would start what is there already.
 */
function heard(fleet: Fleet, { kind }: HostEvent, nowMs: number): Reaction {
  const { name, reach } = fleet.host;
  if (reach === 'up' || (reach === 'unseen' && kind !== 'host-up')) return NOTHING;
  const up: Reaction = {
    transitions: [{ kind: 'host-up', nowMs }],
    effects: [eventOfHost('host-up', name, `host ${name} is in reach`)],
  };
  // Their reservations became durable while it could not be told so.
  const waiting = [...fleet.group('starting')].filter((vm) => vm.state === 'prepared' && vm.reserved);
  return combine(up, ...waiting.map((vm) => bootOf(fleet, vm, vm.rule, nowMs)));
}

/**
 * What the controller once had and no longer has is gone. What it never confirmed may have been asked for after it looked: R7 sees to
 * that. What only the tables know, and the controller does not, has ended while nobody looked.
 */
function onHostUp(fleet: Fleet, { vms }: Event<'host-up'>, nowMs: number): Reaction {
  if (vms === undefined) return NOTHING;
  const there = new Set(vms);
  const end = { clean: false, reason: 'not-on-host', why: 'its host no longer has it', exitCode: null } as const;
  const missing = [...fleet.vms].filter((vm) => vm.isOnHost && !there.has(vm.id));
  const absent = [...fleet.absent.keys()].filter((vm) => !there.has(vm));
  return combine(
    ...missing.map((vm) => vmGone(fleet, vm, end, undefined, nowMs)),
    ...absent.map((vm) => unseenGone(fleet, vm)),
  );
}

function onPrepared(fleet: Fleet, { vm: id, pid, imageDigest, memory }: Event<'vm-prepared'>, nowMs: number): Reaction {
  const vm = fleet.vm(id);
  if (vm?.state !== 'preparing') return NOTHING;
  const { name } = fleet.host;
  const prepared: Reaction = {
    transitions: [{ kind: 'vm-prepared', vm: id, pid, imageDigest, memory }],
    effects: [eventOfVm('vm-prepared', id, name, `VM ${id} is prepared (QEMU pid ${pid})`)],
  };
  return vm.reserved && !vm.spare ? combine(prepared, bootOf(fleet, vm, vm.rule, nowMs)) : prepared;
}

/** It took its time: if it was wanted meanwhile, it runs. */
function onPaused(fleet: Fleet, { vm: id }: Event<'vm-paused'>): Reaction {
  const vm = fleet.vm(id);
  if (vm?.state !== 'prepared' || vm.booted === 'yes') return NOTHING;
  return {
    transitions: [{ kind: 'vm-spare-booted', vm: id, booted: 'yes' }],
    effects: [eventOfVm('vm-prepared', id, fleet.host.name, `VM ${id}, a spare, has booted and stands still`)],
  };
}

function onAnswering(fleet: Fleet, { vm: id, guest }: Event<'vm-answering'>): Reaction {
  const vm = fleet.vm(id);
  if (vm === undefined) return NOTHING;
  const canLink = vm.state === 'booting' || vm.state === 'ready' || vm.state === 'draining';
  return {
    transitions: [{ kind: 'vm-answering', vm: id, guest }],
    effects: canLink ? [{ kind: 'open-link', vm: id, address: vm.address }] : [],
  };
}

/** The first report makes the VM's row (R7), each later one brings the fields of it that may be lost. */
function onReport(fleet: Fleet, { vm: id, report, atMs }: Event<'vm-report'>, { nowMs }: Now): Reaction {
  const vm = fleet.vm(id);
  if (vm === undefined || !isNewReport(vm, report)) return NOTHING;
  const reported: Reaction = {
    transitions: [{ kind: 'vm-report', vm: id, report, nowMs }],
    effects: [{ kind: vm.seq === undefined ? 'write-row' : 'update-row', vm: id, atMs }],
  };
  // An end that got lost on the way, because a mailbox was full: only what nobody waits for any more is given up.
  const isLost = report.inFlight === 0 && vm.inFlight > 0;
  return isLost ? combine(reported, writeOff(fleet, vm, nowMs)) : reported;
}

function onAdopted(fleet: Fleet, event: Event<'vm-adopted'>, { nowMs, epochMs }: Now): Reaction {
  const { vm: id, address, pid, imageDigest, memory, statusIntervalMs, state } = event;
  if (fleet.vm(id) !== undefined) return NOTHING;
  const { name } = fleet.host;
  const found: NewVm = {
    vm: id,
    address,
    spare: state === 'prepared',
    ...(event.isPaused === true ? { hasBooted: true as const } : {}),
    nowMs,
    // How long it has run is known in time of day only; both clocks run at the same speed.
    startedMs: nowMs - Math.max(0, epochMs - event.startedMs),
    state: state === 'answering' ? 'booting' : state,
    adopted: { pid, imageDigest, memory },
  };
  const adopted = statusIntervalMs === undefined ? found : { ...found, statusIntervalMs };
  const holder = fleet.holder(address);
  if (holder !== undefined && holder !== id) return intruded(fleet, adopted, holder);
  return {
    transitions: [{ kind: 'vm-reserved', ...adopted }],
    effects: [
      eventOfVm('vm-adopted', id, name, `VM ${id} is adopted at ${formatAddress(address)}`),
      // The Shoal that crashed may have done so before it was durable.
      { kind: 'write-reservation', vm: id, address },
    ],
  };
}

/** R8: a VM on an address that another VM holds is ended. Until it is gone nothing else may use the address. */
function intruded(fleet: Fleet, found: NewVm, holder: VmId): Reaction {
  const { vm, address, nowMs } = found;
  const text = `VM ${vm} was found at ${formatAddress(address)}, which VM ${holder} holds: it is ended`;
  const end = { reason: 'address-conflict', why: `its address is held by VM ${holder}` } as const;
  const considered = [{ what: `ending VM ${holder}`, why: 'the address is held for that one' }];
  const grounds = {
    rule: 'R8',
    figures: { id_ip: address.id, held_by: holder },
    reason: end.reason,
    considered,
  } as const;
  return {
    transitions: [
      { kind: 'vm-reserved', ...found, isIntruder: true },
      ...(found.state === 'stopping' ? [] : [{ kind: 'vm-stopping', vm, ...end, nowMs } as const]),
    ],
    effects: [
      eventOfVm('unidentified', vm, fleet.host.name, text, grounds),
      { kind: 'command', command: { kind: 'stop', vm, ...end } },
    ],
  };
}

function onGone(fleet: Fleet, { vm: id, end, error }: Event<'vm-gone'>, nowMs: number): Reaction {
  const vm = fleet.vm(id);
  return vm === undefined ? unseenGone(fleet, id) : vmGone(fleet, vm, end, error, nowMs);
}

function vmGone(fleet: Fleet, vm: Vm, end: VmEnd, error: Event<'vm-gone'>['error'], nowMs: number): Reaction {
  const { id, address } = vm;
  const wanted = vm.state === 'stopping' || vm.state === 'draining';
  const why = wanted ? (vm.why ?? end.why) : end.why;
  const reason = wanted ? (vm.reason ?? end.reason) : end.reason;
  const found = end.verdict === undefined ? '' : ` (${end.verdict})`;
  // Neither will be better at once, and other addresses may do.
  const bindFailed = error?.code === 'PORT_TAKEN' || vm.refused;
  const untilMs = quarantinedUntilMs(fleet.poolEntry(address), nowMs);
  const requests = takeAllBack(fleet, vm, { reason: 'vm-lost', why: end.why }, nowMs, end.verdict);
  return {
    transitions: [
      ...requests.transitions,
      ...(wanted || bindFailed ? [] : failed(fleet, vm, end.why, nowMs)),
      { kind: 'vm-gone', vm: id },
      ...(bindFailed ? [{ kind: 'address-quarantined', address, untilMs } as const] : []),
    ],
    effects: [
      { kind: 'close-link', vm: id },
      eventOfVm('vm-gone', id, fleet.host.name, `VM ${id} is gone: ${why}${found}`, { reason }, error),
      ...requests.effects,
      { kind: 'write-release', vm: id },
    ],
  };
}

/** The tables may have more of a VM than the fleet has: whoever it was, it is released by its id. */
function unseenGone(fleet: Fleet, vm: VmId): Reaction {
  if (fleet.releasing.has(vm)) return NOTHING;
  const isAbsent = fleet.absent.has(vm);
  return {
    transitions: isAbsent ? [{ kind: 'absent-gone', vm }] : [],
    effects: [{ kind: 'write-release', vm }],
  };
}
