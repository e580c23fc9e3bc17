import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest, Waiter } from '../state/open-request.ts';
import type { RequestTransition } from '../state/transition.ts';
import type { FailureReason } from '../values/end-reason.ts';
import type { Outcome } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';
import { blockageOf } from './blockage.ts';
import type { Effect, Reaction } from './reaction.ts';
import { failure } from './retries.ts';

/**
 * R4: what is past its deadline ends, wherever it is. R11: the work goes on while at least one client waits. A VM that works on a request
 * that nobody waits for is asked to stop, and stays busy until it says so.
 * @param due the clients whose deadline has passed
 */
export function onDeadlines(fleet: Fleet, due: readonly Waiter[], nowMs: number): Reaction {
  const transitions: RequestTransition[] = [];
  const effects: Effect[] = [];
  const late = new Set(due);
  // Looking for the reason costs more than telling a client: many may expire together.
  let why: string | undefined;
  for (const waiter of due) {
    const { vm } = waiter.request;
    if (mayBeTold(waiter)) {
      const untilMs = nowMs + LOOK_AGAIN_MS;
      transitions.push({ kind: 'waiter-extended', request: waiter.request, waiter, untilMs });
      continue;
    }
    if (vm === undefined) why ??= whyWaiting(fleet, nowMs);
    effects.push({ kind: 'answer-one', waiter, outcome: expired(fleet, vm, why) });
  }
  for (const request of new Set(due.map((waiter) => waiter.request))) {
    if (request.neighbour !== undefined) {
      if (request.waiters.some(({ deadlineMs }) => deadlineMs > nowMs)) continue;
      effects.push({ kind: 'cancel-handed', host: request.neighbour.name, frame: request.frame });
      continue;
    }
    if (!request.waiters.every((waiter) => late.has(waiter))) continue;
    effects.push({ kind: 'forget', request });
    if (request.vm === undefined) transitions.push({ kind: 'request-left', request, nowMs });
    else effects.push({ kind: 'cancel', vm: request.vm, frame: request.frame });
  }
  return { transitions, effects };
}

/** Another host that has a request and was told that nobody waits for it is looked at again after so long. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Another host has the request, and may have told the client of its end. It is told that nobody waits any more. Then an end comes from there
 * in any case, unless that host is lost: only one of the two shows that the client was not told.
 */
function mayBeTold({ request }: Waiter): boolean {
  return request.neighbour !== undefined;
}

/** A client gives the request up. */
export function withdraw(fleet: Fleet, waiter: Waiter, nowMs: number): Reaction {
  const { request } = waiter;
  const outcome = failure(fleet, 'cancelled', 'nobody waits for it any more', request.vm);
  const told: Effect = { kind: 'answer-one', waiter, outcome };
  if (request.waiters.some((other) => other !== waiter)) return { transitions: [], effects: [told] };
  const forgotten: Effect = { kind: 'forget', request };
  const { vm, frame } = request;
  if (vm !== undefined) return { transitions: [], effects: [told, forgotten, { kind: 'cancel', vm, frame }] };
  return { transitions: [{ kind: 'request-left', request, nowMs }], effects: [told, forgotten] };
}

/** The end of a request that waited until its deadline. */
export function expiredInLine(fleet: Fleet, nowMs: number): Outcome {
  return expired(fleet, undefined, whyWaiting(fleet, nowMs));
}

const CLOSING = ['shoal-stopping', 'the server is shutting down'] as const;
const ENDED = ['router-away', 'the router has ended; send the request again'] as const;

/** Why the router takes no request any more, and ends those that are open. */
function whyEnding(fleet: Fleet): typeof CLOSING | typeof ENDED {
  return fleet.isClosing ? CLOSING : ENDED;
}

/** The end of a request that comes while the router ends. */
export function tooLate(fleet: Fleet): Outcome {
  const [reason, why] = whyEnding(fleet);
  return failure(fleet, reason, why);
}

/** R11: everything that is open ends, because the router does. A guest that works on it may still send a reply, which is then dropped. */
export function refuseAll(fleet: Fleet, nowMs: number): Reaction {
  const [reason, why] = whyEnding(fleet);
  const requests = fleet.requests.all();
  return {
    transitions: requests.map((request) => {
      const left = { kind: 'request-left', request, nowMs } as const;
      return request.vm === undefined ? left : { ...left, tried: 'orphaned' };
    }),
    effects: requests.flatMap((request) => refuse(fleet, request, reason, why)),
  };
}

function refuse(fleet: Fleet, request: OpenRequest, reason: FailureReason, why: string): readonly Effect[] {
  const { vm, frame } = request;
  const answer = { kind: 'answer', request, outcome: failure(fleet, reason, why, vm) } as const;
  if (request.neighbour !== undefined) {
    return [{ kind: 'cancel-handed', host: request.neighbour.name, frame }, answer];
  }
  return vm === undefined ? [answer] : [{ kind: 'cancel', vm, frame }, answer];
}

function expired(fleet: Fleet, vm: VmId | undefined, why = ''): Outcome {
  if (vm !== undefined) return failure(fleet, 'expired-on-vm', `its deadline passed while VM ${vm} worked on it`, vm);
  return failure(fleet, 'expired-in-line', `its deadline passed while it waited${why}`);
}

function whyWaiting(fleet: Fleet, nowMs: number): string {
  const blockage = blockageOf(fleet, nowMs);
  return blockage === undefined ? '' : `; no VM can be started: ${blockage.text}`;
}
