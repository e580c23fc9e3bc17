import { toEnvelope } from '../../errors.ts';
import type { Fleet } from '../state/fleet.ts';
import type { Transition } from '../state/transition.ts';
import type { Vm } from '../state/vm.ts';
import { formatAddress } from '../values/address.ts';
import type { Figures, Rule } from '../values/rule.ts';
import type { VmId } from '../values/vm-id.ts';
import { failureOf } from './back-off.ts';
import { send } from './control.ts';
import type {
  BootSpareDecision,
  DrainDecision,
  FleetDecision,
  StartDecision,
  StopDecision,
  UseSpareDecision,
} from './decision.ts';
import { deployed, failedInDeploy } from './deploy-steps.ts';
import { eventOfHost, eventOfVm } from './events.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { returnQueued } from './retries.ts';

/** How long nothing is started after the store gave no id. */
const NO_ID_MS = 1_000;

/** What follows from a decision, other than a start, which needs an id: see `enactStart`. */
export function enact(fleet: Fleet, decision: Exclude<FleetDecision, StartDecision>, nowMs: number): Reaction {
  switch (decision.kind) {
    case 'use-spare':
      return useSpare(fleet, decision, nowMs);
    case 'boot-spare':
      return bootSpare(fleet, decision);
    case 'drain':
      return drain(fleet, decision, nowMs);
    case 'stop':
      return stop(fleet, decision, nowMs);
    case 'repeat-stop': {
      const { vm, reason, why } = decision;
      return {
        transitions: [{ kind: 'vm-stop-sent', vm, nowMs }],
        effects: [{ kind: 'command', command: { kind: 'stop', vm, reason, why } }],
      };
    }
    case 'ask':
      return {
        transitions: [{ kind: 'vm-asked', vm: decision.vm, nowMs }],
        effects: [{ kind: 'ping', vm: decision.vm }],
      };
    case 'host-away':
      return hostAway(fleet, `silent for ${decision.figures['silent_ms']} ms`, nowMs, decision.figures);
    case 'blocked': {
      const { blockage } = decision;
      const transitions = [{ kind: 'blocked', cause: blockage?.cause }] as const;
      if (blockage === undefined) return { transitions, effects: [] };
      const { text, figures } = blockage;
      const considered = [{ what: 'a spare', why: 'there is none' }];
      const grounds = { rule: decision.rule, figures, considered };
      return {
        transitions,
        effects: [eventOfHost('blocked', fleet.host.name, `no VM can be started: ${text}`, grounds)],
      };
    }
    case 'deploy':
      return deployed(fleet, decision);
    case 'waiting': {
      const { waiting, oldest_ms: oldestMs } = decision.figures;
      const who = waiting === 1 ? '1 request waits' : `${waiting} requests wait`;
      const text = `${who}, the oldest for ${oldestMs} ms: ${decision.why}`;
      return {
        transitions: [{ kind: 'wait-told', nowMs }],
        effects: [eventOfHost('waiting', fleet.host.name, text, decision)],
      };
    }
    case 'sizing-failed': {
      if (decision.why === undefined) return { transitions: [{ kind: 'sizing-fault', why: undefined }], effects: [] };
      const text = `the sizing policy ${decision.policy} failed, the default decides: ${decision.why}`;
      return {
        transitions: [{ kind: 'sizing-fault', why: decision.why }],
        effects: [eventOfHost('failed', fleet.host.name, text)],
      };
    }
  }
}

/** QEMU starts while the reservation goes to disk; the CPU is let run only when both are done. */
export function enactStart(fleet: Fleet, decision: StartDecision, vm: VmId, nowMs: number): Reaction {
  const { address, spare, image, replaces } = decision;
  const of = image === undefined ? {} : { imageDigest: image };
  const reserved = { kind: 'vm-reserved', vm, address, spare, nowMs, rule: decision.rule, ...of } as const;
  const purpose = spare ? 'is prepared as a spare' : 'is started';
  return {
    transitions: [replaces === undefined ? reserved : { ...reserved, replaces }],
    effects: [
      eventOfVm('vm-start', vm, fleet.host.name, `VM ${vm} ${purpose} at ${formatAddress(address)}`, decision),
      { kind: 'command', command: { kind: 'prepare', vm, address, ...(image === undefined ? {} : { image }) } },
      { kind: 'write-reservation', vm, address },
    ],
  };
}

/** The store gave no id for a VM: nothing is started for a while. */
export function withoutId(fleet: Fleet, error: unknown, nowMs: number): Reaction {
  const { name } = fleet.host;
  return {
    transitions: [{ kind: 'no-id', untilMs: nowMs + NO_ID_MS }],
    effects: [eventOfHost('write-failed', name, 'no VM is started, for there is no id', undefined, toEnvelope(error))],
  };
}

/** The VM is told to stop, with the event that says why. */
export function stop(
  fleet: Fleet,
  decision: Omit<StopDecision, 'kind'>,
  nowMs: number,
  error?: Parameters<typeof eventOfVm>[5],
): Reaction {
  const { vm: id, reason, why, fault } = decision;
  const vm = fleet.vm(id);
  if (vm === undefined || vm.state === 'stopping' || fleet.host.reach === 'away') return NOTHING;
  // What only stood in the queue of a silent VM is served by others; what it worked on waits for the host's verdict.
  const queued = fault === 'silent' ? returnQueued(fleet, vm, why, nowMs) : NOTHING;
  const grounds = { address: vm.address, rule: decision.rule, isFaulty: fault !== undefined };
  const sent = send(fleet, { kind: 'stop', vm: id, reason, why }, grounds, nowMs);
  return {
    transitions: [
      { kind: 'vm-stopping', vm: id, reason, why, nowMs },
      ...(fault === undefined ? [] : failed(fleet, vm, why, nowMs)),
      ...queued.transitions,
    ],
    effects: [
      eventOfVm('vm-stop', id, fleet.host.name, `VM ${id} is told to stop: ${why}`, decision, error),
      ...sent.effects,
      ...queued.effects,
    ],
  };
}

export function drain(fleet: Fleet, decision: Omit<DrainDecision, 'kind'>, nowMs: number): Reaction {
  const { vm: id, reason, why, ejected } = decision;
  const vm = fleet.vm(id);
  if (vm?.state !== 'ready') return NOTHING;
  return {
    transitions: [
      { kind: 'vm-draining', vm: id, reason, why, ejected },
      ...(ejected ? failed(fleet, vm, why, nowMs) : []),
    ],
    effects: [eventOfVm('vm-drain', id, fleet.host.name, `VM ${id} is drained: ${why}`, decision)],
  };
}

/** A VM has failed, or is ended because it fails: that counts at once towards the back-off of its host (R1). */
export function failed(fleet: Fleet, vm: Vm, why: string, nowMs: number): readonly Transition[] {
  const inDeploy = failedInDeploy(fleet, vm, why);
  const failure = failureOf(fleet.host, vm, nowMs, fleet.ruleMs(nowMs));
  if (failure === undefined) return inDeploy;
  const { failures, notBeforeMs } = failure;
  return [{ kind: 'host-failure', failures, notBeforeMs, nowMs }, ...inDeploy];
}

/** What its VMs do is unknown from here on. */
export function hostAway(fleet: Fleet, why: string, nowMs: number, decidedOn: Figures = {}): Reaction {
  const { name, reach } = fleet.host;
  if (reach === 'away') return NOTHING;
  const figures = { ...decidedOn, vms: fleet.vmCount };
  const text = `host ${name} is out of reach (${why}): what its ${fleet.vmCount} VMs do is unknown`;
  return {
    transitions: [{ kind: 'host-away', nowMs }],
    effects: [eventOfHost('host-down', name, text, { rule: 'R6', figures })],
  };
}

function useSpare(fleet: Fleet, decision: UseSpareDecision, nowMs: number): Reaction {
  const { vm: id, replaces } = decision;
  const vm = fleet.vm(id);
  if (vm === undefined || !vm.spare) return NOTHING;
  const { name } = fleet.host;
  const text = `VM ${id}, a spare, is started at ${formatAddress(vm.address)}`;
  const wanted = { kind: 'vm-wanted', vm: id, rule: decision.rule, replaces, nowMs } as const;
  const event = eventOfVm('vm-start', id, name, text, decision);
  if (vm.state !== 'prepared' || !vm.reserved) return { transitions: [wanted], effects: [event] };
  const boot = bootOf(fleet, vm, decision.rule, nowMs);
  return { transitions: [wanted, ...boot.transitions], effects: [event, ...boot.effects] };
}

function bootSpare(fleet: Fleet, { vm: id, rule }: BootSpareDecision): Reaction {
  const vm = fleet.vm(id);
  if (vm?.state !== 'prepared' || !vm.spare) return NOTHING;
  return {
    transitions: [{ kind: 'vm-spare-booted', vm: id, booted: 'asked' }],
    effects: [
      eventOfVm('vm-booting', id, fleet.host.name, `VM ${id}, a spare, boots ahead of its use`, { rule }),
      { kind: 'command', command: { kind: 'boot-spare', vm: id } },
    ],
  };
}

/** The CPU of a VM is let run: it is prepared, its reservation is durable, and it is no spare. */
export function bootOf(fleet: Fleet, { id, address, booted }: Vm, rule: Rule | undefined, nowMs: number): Reaction {
  const sent = send(fleet, { kind: 'start', vm: id }, { address, rule }, nowMs);
  const text = booted === 'yes' ? `VM ${id}, which has booted, goes on` : `VM ${id} boots`;
  return {
    transitions: [{ kind: 'vm-booting', vm: id, nowMs }],
    effects: [
      eventOfVm('vm-booting', id, fleet.host.name, text),
      ...sent.effects,
      ...(booted === 'yes' ? [{ kind: 'open-link-ahead', vm: id, address } as const] : []),
    ],
  };
}
