import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest, Waiter } from '../state/open-request.ts';
import type { RequestTransition } from '../state/transition.ts';
import type { Vm } from '../state/vm.ts';
import { type FailureReason, REQUEST_END_REASONS, reasonOfGuest } from '../values/end-reason.ts';
import type { GuestReady } from '../values/guest.ts';
import type { Outcome } from '../values/request.ts';
import type { RequestStatus } from '../values/request-status.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Effect, Reaction } from './reaction.ts';

/** R11: a request is tried at most once more than the first time. */
const TRIES_MAX = 2;
/** Reports that a VM must owe before the host's verdict `stuck` is about what it worked on: a guest that reports is only busy. */
const SILENT_REPORTS = 2;

type Failure = Extract<Outcome, { ok: false }>;

/** What a request on a VM was lost with. */
export interface LostBy {
  readonly reason: Extract<FailureReason, 'vm-lost' | 'link-lost' | 'host-lost'>;
  readonly why: string;
  /** How the request ends if it is not tried again; default: with the reason. */
  readonly outcome?: Outcome;
}

/** A guest that answers so has failed. 503 is an overload, 501 the operation's fault, 499 our own wish. */
const FAULTS: ReadonlySet<RequestStatus> = new Set<RequestStatus>([502, 504]);

/** Whether a VM's answer counts against it (R2); undefined tells nothing. */
export function isFault(status: RequestStatus): boolean | undefined {
  return status === 499 || status === 503 ? undefined : FAULTS.has(status);
}

/**
 * The VM or its link will not end these requests (R11): back to the front of the line those that may be tried again. A try of which
 * nothing was sent does not count.
 * @param sent false for those of which nothing was sent
 */
export function takeBack(
  fleet: Fleet,
  requests: readonly OpenRequest[],
  lost: LostBy,
  nowMs: number,
  sent: (request: OpenRequest) => boolean = () => true,
): Reaction {
  const transitions: RequestTransition[] = [];
  const effects: Effect[] = [];
  // Each goes before those that are in front by then: the last first keeps the order.
  for (const request of requests.toReversed()) {
    const wasSent = sent(request);
    // Another host tells nothing of what its guests keep.
    const left = { kind: 'request-left', request, nowMs } as const;
    if (!wasSent) transitions.push({ ...left, tried: 'unsent' });
    else transitions.push(request.neighbour === undefined ? { ...left, tried: 'orphaned' } : left);
    if (request.waiters.length === 0) effects.push({ kind: 'forget', request });
    else if (!wasSent || mayTryAgain(fleet, request)) {
      const home = wasSent ? homeOf(request) : undefined;
      if (home !== undefined) effects.push(giveBack(fleet, home, request, lost));
      if (home !== undefined && request.waiters.length === 1) effects.push({ kind: 'forget', request });
      else transitions.push({ kind: 'request-waits', request, where: 'first' });
    } else {
      effects.push({ kind: 'answer', request, outcome: lost.outcome ?? lostWith(fleet, request, lost) });
    }
  }
  return { transitions, effects };
}

/**
 * The host that took the request in, which waits for its end. It has each try counted, and decides about the next one: if that were made here, and
 * home lost this host meanwhile, there would be one more.
 */
function homeOf({ request, waiters }: OpenRequest): Waiter | undefined {
  return request.isHanded === true ? waiters.find(({ replyTo }) => replyTo === request.replyTo) : undefined;
}

function giveBack(fleet: Fleet, waiter: Waiter, request: OpenRequest, lost: LostBy): Effect {
  return { kind: 'answer-one', waiter, outcome: { ...lostWith(fleet, request, lost), mayBeTriedAgain: true } };
}

function lostWith(fleet: Fleet, { vm, neighbour }: OpenRequest, { reason, why }: LostBy): Failure {
  const who = neighbour === undefined ? `VM ${vm}` : `host ${neighbour.name}`;
  return failure(fleet, reason, `${who} was lost while it worked on the request: ${why}`, vm);
}

/** R6: what only stood in the queue of a VM that is being ended goes back to the line. */
export function returnQueued(fleet: Fleet, vm: Vm, why: string, nowMs: number): Reaction {
  return takeBack(fleet, [...vm.requests].slice(workedOn(fleet, vm)), { reason: 'vm-lost', why }, nowMs);
}

/**
 * The VM is gone. What it was stuck over is poison: it is not tried elsewhere (R6). Everything else is, as R11 allows.
 * @param verdict what the host found when it ended the VM
 */
export function takeAllBack(fleet: Fleet, vm: Vm, lost: LostBy, nowMs: number, verdict?: 'stuck' | 'dead'): Reaction {
  const requests = [...vm.requests];
  const count = verdict === 'stuck' && isSilent(fleet, vm, nowMs) ? workedOn(fleet, vm) : 0;
  const back = takeBack(fleet, requests.slice(count), lost, nowMs);
  const text = `poison: VM ${vm.id} got stuck while it worked on the request: ${lost.why}`;
  const poisoned = requests.slice(0, count);
  return {
    transitions: [
      ...back.transitions,
      ...poisoned.map((request) => ({ kind: 'request-left', request, nowMs }) as const),
    ],
    effects: [
      ...back.effects,
      ...poisoned.map(
        (request): Effect => ({ kind: 'answer', request, outcome: failure(fleet, 'poison', text, vm.id) }),
      ),
    ],
  };
}

/** The guest has nothing in work: what is long overdue and still counted as with it got lost on the way. */
export function writeOff(fleet: Fleet, vm: Vm, nowMs: number): Reaction {
  const limitMs = nowMs - fleet.params.stuckMs;
  const lost = [...vm.requests].filter(({ deadlineMs, waiters }) => deadlineMs < limitMs && waiters.length === 0);
  return {
    transitions: lost.map((request) => ({ kind: 'request-left', request, nowMs })),
    effects: lost.map((request) => ({ kind: 'forget', request })),
  };
}

/** What a guest, or the link to it, has answered in the place of a reply. @param op empty: the default operation; absent: not known */
export function failureOfGuest(fleet: Fleet, status: RequestStatus, message: string, vm: VmId, op?: string): Failure {
  // A service that has the operation means something of its own by it.
  const isOwn = status === 404 && hasOperation(fleet.vm(vm)?.guest, op);
  return { ...failure(fleet, isOwn ? 'bad-request' : reasonOfGuest(status), message, vm), status };
}

/** Not every guest says which operations it has. */
function hasOperation(guest: GuestReady | undefined, op: string | undefined): boolean {
  if (guest === undefined || op === undefined) return false;
  return guest.operations.includes(op) || (op === '' && guest.operations.length > 0);
}

export function failure(fleet: Fleet, reason: FailureReason, message: string, vm?: VmId): Failure {
  const failed = { ok: false, status: REQUEST_END_REASONS[reason], reason, message } as const;
  return vm === undefined ? failed : { ...failed, vm, host: fleet.host.name };
}

function mayTryAgain(fleet: Fleet, { request, vm, neighbour, tries }: OpenRequest): boolean {
  const isIdempotent =
    neighbour?.figures.idempotent === true || (vm !== undefined && fleet.vm(vm)?.guest?.idempotent === true);
  return isIdempotent && request.retry && tries < TRIES_MAX;
}

/** How many of its requests a VM works on, first dispatched first: what it was given while it was free, whatever the limit is now. */
function workedOn(fleet: Fleet, vm: Vm): number {
  let given = 0;
  for (const request of vm.requests) if (request.wasFree) given += 1;
  return Math.max(given, fleet.params.vmRequestsMax);
}

function isSilent(fleet: Fleet, vm: Vm, nowMs: number): boolean {
  return vm.heardMs === undefined || fleet.ruleMs(nowMs) - vm.heardMs >= SILENT_REPORTS * vm.statusIntervalMs;
}
