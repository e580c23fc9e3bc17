import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Considered } from '../values/considered.ts';
import type { FailureReason } from '../values/end-reason.ts';
import type { HandOnFor } from '../values/neighbour.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { Rule } from '../values/rule.ts';
import type { VmId } from '../values/vm-id.ts';
import type { HandOnDecision } from './decision.ts';
import { expiredInLine } from './expiry.ts';
import { takeHanded } from './hand-on.ts';
import { failure } from './retries.ts';
import { route, waitOrRefuse } from './route.ts';

/** Repeats that may wait for a request beside the client that sent it first. */
const REPEATS_MAX = 100;

/** What becomes of a request that has just come. */
export type Admission =
  | { readonly kind: 'dispatch'; readonly rule: Rule; readonly vm: VmId }
  | HandOnDecision
  | { readonly kind: 'wait'; readonly rule: Rule }
  /** R11: other hosts may know its id, and are asked; undefined: all of them. */
  | { readonly kind: 'ask'; readonly host: string | undefined }
  /** R11: it repeats a request that is open, and joins that. */
  | { readonly kind: 'join'; readonly request: OpenRequest }
  /** It ends at once. */
  | { readonly kind: 'end'; readonly rule: Rule | undefined; readonly outcome: Outcome };

/** Of one that another host has handed on. */
export type HandedAdmission = Extract<Admission, { kind: 'dispatch' | 'wait' | 'join' | 'end' }>;

/** R2, R3, R4 and R11 for a new request. Requests that wait have been served as far as that goes. @param trace as in `route` */
export function admit(fleet: Fleet, request: Request, nowMs: number, trace?: Considered[]): Admission {
  if (!Number.isFinite(request.deadlineMs)) return refuse(fleet, 'bad-request', 'the deadline is not a time');
  if (request.deadlineMs <= nowMs) return refuse(fleet, 'expired-on-arrival', 'its deadline had passed when it came');
  const repeat = request.isIdGenerated === true ? undefined : repeated(fleet, request, nowMs);
  if (repeat !== undefined) return repeat;
  if (mayBeKnownElsewhere(fleet, request)) return { kind: 'ask', host: undefined };
  return admitNew(fleet, nowMs, trace);
}

/** The same for a request that nobody knows. */
export function admitNew(fleet: Fleet, nowMs: number, trace?: Considered[]): Admission {
  // Nobody is served before those who wait already.
  const decision = fleet.requests.waiting > 0 ? waitOrRefuse(fleet, nowMs) : route(fleet, nowMs, 0, trace);
  if (fleet.requests.waiting > 0) trace?.push({ what: 'any VM', why: 'others wait before it', rule: 'R3' });
  return decision.kind === 'refuse' ? refuse(fleet, decision.reason, decision.message) : decision;
}

/** What becomes of the request that is first in line, now that a VM may be free. */
export function admitNext(fleet: Fleet, next: OpenRequest, nowMs: number, trace?: Considered[]): Admission {
  if (next.deadlineMs <= nowMs) return { kind: 'end', rule: undefined, outcome: expiredInLine(fleet, nowMs) };
  // It has been let in already: a limit that is now reached is not held against it.
  const decision = route(fleet, nowMs, fleet.requests.waiting - 1, trace, next);
  return decision.kind === 'refuse' ? { kind: 'wait', rule: decision.rule } : decision;
}

/** How a request came from another host. */
export interface Handed {
  /** `known`: as a repeat, only to be taken if its id is known. */
  readonly what: HandOnFor | 'known';
  readonly from: string;
}

/** R2, R3 and R4 for a request that another host has handed on: it goes no further. */
export function admitHanded(fleet: Fleet, request: Request, handed: Handed, nowMs: number): HandedAdmission {
  if (request.deadlineMs <= nowMs) return refuse(fleet, 'expired-on-arrival', 'its deadline had passed when it came');
  const repeat = request.isIdGenerated === true ? undefined : repeated(fleet, request, nowMs);
  // Of a request that is somewhere else by now, the host that took this one in knows more.
  if (repeat?.kind === 'end') return repeat;
  if (repeat?.kind === 'join' && mayJoin(fleet.host.name, repeat.request, handed)) return repeat;
  const { what } = handed;
  if (repeat?.kind === 'join') return refuse(fleet, 'queue-full', 'its id is known here, and others have it');
  if (what === 'known') return refuse(fleet, 'queue-full', 'its id is not known here');
  const decision = takeHanded(fleet, what, nowMs);
  return decision.kind === 'refuse' ? refuse(fleet, decision.reason, decision.message) : decision;
}

/** Two requests of one id on two hosts must not wait for each other: of hosts that ask each other, only those with a higher name wait. */
function mayJoin(own: string, { neighbour, hops }: OpenRequest, { what, from }: Handed): boolean {
  if (hops?.isAsking === true) return what === 'known' && from > own;
  return neighbour === undefined || (what === 'known' && neighbour.name !== from);
}

/** R11: a client has sent it before, perhaps to another host. */
function mayBeKnownElsewhere(fleet: Fleet, request: Request): boolean {
  return request.isRepeat === true && request.isIdGenerated !== true && fleet.neighbours.size > 0;
}

/** R11: a repeat joins the first or gets its stored reply. */
function repeated(fleet: Fleet, request: Request, nowMs: number): Admission | undefined {
  const known = fleet.requests.cache.find(request, nowMs);
  switch (known?.kind) {
    case undefined:
      return undefined;
    case 'ended':
      // The reply went to the client from the host that worked, which has it.
      if (known.outcome.isSent === true) return { kind: 'ask', host: known.outcome.host };
      return { kind: 'end', rule: 'R11', outcome: known.outcome };
    case 'other': {
      const id = JSON.stringify(request.requestId);
      return refuse(fleet, 'id-reused', `the request id ${id} stands for another request`, 'R11');
    }
    case 'open': {
      const text = `overloaded: ${REPEATS_MAX} repeats wait for the same request`;
      if (known.request.waiters.length > REPEATS_MAX) return refuse(fleet, 'repeats-full', text, 'R11');
      return { kind: 'join', request: known.request };
    }
  }
}

function refuse(fleet: Fleet, reason: FailureReason, message: string, rule?: Rule): HandedAdmission {
  return { kind: 'end', rule, outcome: failure(fleet, reason, message) };
}
