import type { ListNode, Ref, WheelEntry } from '../../actors/mod.ts';
import type { HostFigures } from '../values/neighbour.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { VmId } from '../values/vm-id.ts';

/** A client that waits for the outcome of a request: the one that sent it, or one that sent it again. */
export interface Waiter {
  readonly request: OpenRequest;
  readonly replyTo: Ref<Outcome>;
  readonly deadlineMs: number;
  /** Undefined once the waiter has been told. */
  timer: WheelEntry<Waiter> | undefined;
}

/** Another host that has a request. */
export interface Holder {
  readonly name: string;
  readonly session: string;
  readonly figures: HostFigures;
}

/** A neighbour has refused a request: it is not asked again before it has told of itself anew. */
export interface Refusal {
  readonly host: string;
  /** How often it had told of itself. */
  readonly tellings: number;
}

/** The way of a request to other hosts. */
export interface Hops {
  /** The client that the host which has it may tell by itself. */
  sentTo: Waiter | undefined;
  /** Other hosts are asked whether they know it. */
  isAsking: boolean;
  /** The host that it was handed on to had the same repeat, and did not know the first of it either. */
  isJoined: boolean;
  /** Hosts that have refused it, up to the last that it was offered to before it had to wait. */
  refusedBy: readonly Refusal[];
  /** It is not handed on before; monotonic milliseconds. */
  notBeforeMs: number;
}

/** A request that the router has taken and that a client waits for, or whose VM still owes an end. */
export interface OpenRequest {
  /** As it came, apart from `isIdGenerated`: once a guest may keep its reply, the id must be known. */
  request: Request;
  /** When it came; monotonic milliseconds. */
  readonly arrivedMs: number;
  /** Those that have not been told yet. */
  readonly waiters: Waiter[];
  /** The last of its waiters' deadlines. */
  deadlineMs: number;
  /** The number that its VM knows it by. Each try has a new one, so that a late reply to an earlier try is known as such. */
  frame: number;
  /** The VM that it is on. */
  vm: VmId | undefined;
  /** The host that it was handed on to, while it is there. */
  neighbour: Holder | undefined;
  /** What is known of its way to other hosts; undefined while it has gone no such way, as with most. */
  hops: Hops | undefined;
  /** When the VM should be done with it, on the rule clock: its deadline as of the dispatch. Repeats that join later do not move it. */
  dueMs: number;
  /** The VM was free when it came (R2); otherwise it stood in the VM's queue (R4). */
  wasFree: boolean;
  /** VMs that may have worked on it. */
  tries: number;
  /** A guest that it was sent to and whose link was lost may still send its reply: after the end, or instead of another try's. */
  mayBeOrphaned: boolean;
  /** How it is routed and how it ends is recorded. */
  isRecorded: boolean;
  /** Its place in the waiting line or among the requests on its VM. */
  place: ListNode<OpenRequest> | undefined;
}

/** What is known of the way there, which is made for requests that take it. */
export function hopsOf(request: OpenRequest): Hops {
  request.hops ??= { sentTo: undefined, isAsking: false, isJoined: false, refusedBy: [], notBeforeMs: 0 };
  return request.hops;
}

/** @param arrivedMs monotonic milliseconds */
export function openRequest(request: Request, arrivedMs = 0): OpenRequest {
  return {
    request,
    arrivedMs,
    waiters: [],
    deadlineMs: request.deadlineMs,
    frame: 0,
    vm: undefined,
    neighbour: undefined,
    hops: undefined,
    dueMs: request.deadlineMs,
    wasFree: false,
    tries: 0,
    mayBeOrphaned: false,
    isRecorded: false,
    place: undefined,
  };
}
