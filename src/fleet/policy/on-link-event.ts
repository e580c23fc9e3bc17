import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import { formatAddress } from '../values/address.ts';
import type { LinkEvent } from '../values/link-messages.ts';
import type { VmId } from '../values/vm-id.ts';
import { eventOfVm } from './events.ts';
import { combine, NOTHING, type Reaction } from './reaction.ts';
import { takeAllBack, takeBack } from './retries.ts';

/** The link of a VM is up: with it a VM that boots is ready. */
export function onLinkReady(fleet: Fleet, id: VmId, nowMs: number): Reaction {
  const vm = fleet.vm(id);
  if (vm === undefined || vm.linked) return NOTHING;
  const transitions = [{ kind: 'vm-linked', vm: id, linked: true, nowMs }] as const;
  if (vm.state !== 'booting') return { transitions, effects: [] };
  const { name } = fleet.host;
  const text = `VM ${id} is ready at ${formatAddress(vm.address)}`;
  if (vm.isAdopted) return { transitions, effects: [eventOfVm('vm-ready', id, name, text)] };
  const sinceMs = Math.round(nowMs - vm.startedMs);
  const figures = {
    boot_ms: Math.round(fleet.ruleMs(nowMs) - (vm.bootMs ?? vm.leaseMs)),
    since_decision_ms: sinceMs,
  };
  return { transitions, effects: [eventOfVm('vm-ready', id, name, `${text} after ${sinceMs} ms`, { figures })] };
}

/**
 * The link of a VM is down: what was on it is tried elsewhere if it may be, and ends if not (R11). What the link names neither as sent
 * nor as unsent has crossed this message on its way to the link, which tells of it yet.
 */
export function onLinkLost(fleet: Fleet, event: Extract<LinkEvent, { kind: 'link-lost' }>, nowMs: number): Reaction {
  const vm = fleet.vm(event.vm);
  if (vm === undefined) return NOTHING;
  const [sent, unsent] = [new Set(event.sent), new Set(event.unsent)];
  // How a VM that is being ended came to its end is told with it: until then nobody knows what is poison (R6).
  const isJudged = vm.state !== 'stopping';
  const named = [...vm.requests].filter(({ frame }) => unsent.has(frame) || (isJudged && sent.has(frame)));
  const held = isJudged ? [] : [...vm.requests].filter(({ frame }) => sent.has(frame));
  const by = { reason: 'link-lost', why: event.why } as const;
  const back = takeBack(fleet, named, by, nowMs, ({ frame }) => !unsent.has(frame));
  return lost(fleet, event.vm, event.why, nowMs, combine(back, orphaned(held)));
}

/** The actor of a link has ended: nothing will be told of what was on it, which may have been worked on. */
export function onLinkExited(fleet: Fleet, id: VmId, why: string, nowMs: number): Reaction {
  const vm = fleet.vm(id);
  if (vm === undefined) return NOTHING;
  return lost(
    fleet,
    id,
    why,
    nowMs,
    vm.state === 'stopping' ? orphaned([...vm.requests]) : takeAllBack(fleet, vm, { reason: 'link-lost', why }, nowMs),
  );
}

/** The link that refused a message is tried again. */
export function onLinkRoom(fleet: Fleet, id: VmId): Reaction {
  if (fleet.vm(id)?.congested !== true) return NOTHING;
  return { transitions: [{ kind: 'vm-congested', vm: id, congested: false }], effects: [] };
}

/** It answers over its link: what is broken is its console, or whoever reads it (R6). */
export function onPong(fleet: Fleet, id: VmId, nowMs: number): Reaction {
  if (fleet.vm(id) === undefined) return NOTHING;
  return { transitions: [{ kind: 'vm-heard', vm: id, nowMs }], effects: [] };
}

/** They stay on their VM, whose guest may send their replies on another connection. */
function orphaned(requests: readonly OpenRequest[]): Reaction {
  return { transitions: requests.map((request) => ({ kind: 'request-orphaned', request })), effects: [] };
}

function lost(fleet: Fleet, id: VmId, why: string, nowMs: number, back: Reaction): Reaction {
  const vm = fleet.vm(id);
  if (vm?.linked !== true) return back;
  const isNoted = vm.state !== 'stopping';
  const event = eventOfVm('link-lost', id, fleet.host.name, `the link to VM ${id} is lost: ${why}`);
  return {
    transitions: [{ kind: 'vm-linked', vm: id, linked: false, nowMs }, ...back.transitions],
    effects: [...(isNoted ? [event] : []), ...back.effects],
  };
}
