import type { Fleet } from '../state/fleet.ts';
import type { Neighbour } from '../state/neighbour.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Considered } from '../values/considered.ts';
import type { HandOnFor, HostFigures } from '../values/neighbour.ts';
import type { Rule } from '../values/rule.ts';
import { startableVms } from './blockage.ts';
import type { HandOnDecision, RouteDecision } from './decision.ts';

/** A neighbour has clearly more room if it could start twice as many VMs, and two more: less is not worth the hop. */
const CLEARLY_MORE = 2;

const RULES: Readonly<Record<HandOnFor, Rule>> = { free: 'R2', room: 'R3', queue: 'R4' };

/** Whether the request may go to another host. One that another host has handed on never does: its hops are bounded. */
export function mayHandOn(fleet: Fleet, request: OpenRequest | undefined, nowMs: number): boolean {
  if (fleet.neighbours.size === 0) return false;
  return request === undefined || (request.request.isHanded !== true && (request.hops?.notBeforeMs ?? nowMs) <= nowMs);
}

/** A host that has what is asked for: of two the better one. */
export function handOn(
  fleet: Fleet,
  what: HandOnFor,
  request: OpenRequest | undefined,
  trace: Considered[] | undefined,
): HandOnDecision | undefined {
  if (!fleet.neighbours.have(what)) {
    trace?.push({ what: 'another host', why: NONE[what], rule: RULES[what] });
    return undefined;
  }
  const neighbour = fleet.neighbours.better(what, request?.hops?.refusedBy ?? []);
  if (neighbour !== undefined) return { kind: 'hand-on', rule: RULES[what], host: neighbour.name, what };
  trace?.push({ what: 'another host', why: 'those that may have room have refused it', rule: RULES[what] });
  return undefined;
}

/** R3: the neighbour that can start clearly more VMs than this host. @param others requests that wait beside this one */
export function handToRoom(
  fleet: Fleet,
  nowMs: number,
  others: number,
  request: OpenRequest | undefined,
  trace: Considered[] | undefined,
): HandOnDecision | undefined {
  if (!fleet.neighbours.have('room')) return undefined;
  const decision = handOn(fleet, 'room', request, trace);
  const neighbour = decision === undefined ? undefined : fleet.neighbours.get(decision.host);
  if (neighbour === undefined) return undefined;
  const own = roomOf(fleet, nowMs, others);
  const there = neighbour.roomFor(fleet.params.vmRequestsMax);
  if (there >= CLEARLY_MORE * own + CLEARLY_MORE) return decision;
  const why = `it could start ${there} VMs, and this host ${own}: that is not clearly more`;
  trace?.push({ what: `host ${neighbour.name}`, why, rule: 'R3' });
  return undefined;
}

/** R4: the neighbour whose shortest queue is shorter than the one here. @param here in flight on the VM that R4 would choose here */
export function handToQueue(
  fleet: Fleet,
  here: number | undefined,
  request: OpenRequest | undefined,
  trace: Considered[] | undefined,
): HandOnDecision | undefined {
  if (!fleet.neighbours.have('queue')) return undefined;
  const decision = handOn(fleet, 'queue', request, trace);
  const there = decision === undefined ? undefined : fleet.neighbours.get(decision.host)?.shortestQueue;
  if (there === undefined || here === undefined || there < here) return there === undefined ? undefined : decision;
  const why = `its shortest queue has ${there}, and the one here ${here}`;
  trace?.push({ what: `host ${decision?.host}`, why, rule: 'R4' });
  return undefined;
}

/** What this host does with a request that another has handed to it: it serves it, has it wait for a VM that starts, or refuses it. */
export function takeHanded(fleet: Fleet, what: HandOnFor, nowMs: number): Exclude<RouteDecision, HandOnDecision> {
  const { requests, params } = fleet;
  const refuse = (message: string): Exclude<RouteDecision, HandOnDecision> => ({
    kind: 'refuse',
    rule: RULES[what],
    reason: 'queue-full',
    message,
  });
  if (fleet.isCordoned || fleet.isClosing) return refuse('the host takes nothing from others');
  const free = requests.waiting > 0 ? undefined : fleet.freeVm;
  if (free !== undefined) return { kind: 'dispatch', rule: 'R2', vm: free.id };
  if (what === 'free') return refuse('no VM is free any more');
  const { vmRequestsMax } = params;
  const toCome = (fleet.starting + startableVms(fleet, nowMs)) * vmRequestsMax;
  if (requests.waiting + 1 <= toCome) return { kind: 'wait', rule: 'R3' };
  const vm = what === 'queue' && requests.waiting === 0 ? fleet.leastLoaded : undefined;
  return vm === undefined ? refuse('no VM can be started') : { kind: 'dispatch', rule: 'R4', vm: vm.id };
}

/** What this host tells others of itself. */
export function figuresOf(fleet: Fleet, nowMs: number): HostFigures {
  const { requests, guest, starting } = fleet;
  const { waiting } = requests;
  const cordoned = fleet.isCordoned || fleet.isClosing;
  return {
    free: waiting > 0 ? 0 : fleet.freeSlots,
    room: cordoned ? 0 : roomOf(fleet, nowMs, waiting),
    starting,
    shortestQueue: waiting > 0 ? null : (fleet.leastLoaded?.inFlight ?? null),
    waiting,
    cordoned,
    idempotent: guest?.idempotent === true,
  };
}

/**
 * Whether others would decide otherwise on these figures. How many slots are free matters while they are few: of many, a power of two says
 * enough, so that a busy host with room does not tell of each request. Its queues matter once none is free.
 */
export function differ(a: HostFigures, b: HostFigures): boolean {
  return (
    roughly(a.free) !== roughly(b.free) ||
    a.room !== b.room ||
    (b.free === 0 && a.shortestQueue !== b.shortestQueue) ||
    a.cordoned !== b.cordoned ||
    a.idempotent !== b.idempotent
  );
}

/** Below this, each slot counts. */
const FEW_SLOTS = 8;

function roughly(slots: number): number {
  return slots <= FEW_SLOTS ? slots : FEW_SLOTS + Math.floor(Math.log2(slots));
}

/** What is known of a neighbour, for people. */
export function whyHost({ name, free }: Neighbour, what: HandOnFor): string {
  if (what === 'free') return `host ${name}, which told of ${free} free places`;
  return what === 'room' ? `host ${name}, which has room to start a VM` : `host ${name}, which has the shorter queue`;
}

/** VMs that start or can be started here beyond those that requests wait for. */
function roomOf(fleet: Fleet, nowMs: number, waiting: number): number {
  const vms = fleet.starting + startableVms(fleet, nowMs);
  return Math.max(0, vms - Math.ceil(waiting / fleet.params.vmRequestsMax));
}

const NONE: Readonly<Record<HandOnFor, string>> = {
  free: 'none has told of a free VM',
  room: 'none has told of room for a VM',
  queue: 'none has told of a queue with room',
};
