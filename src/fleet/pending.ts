import type { Ref } from '../actors/mod.ts';
import type { WheelEntry } from './deadline-wheel.ts';
import type { ListNode } from './linked-list.ts';
import type { Outcome, Request } from './request.ts';
import type { VmId } from './vm.ts';

/** Somebody who waits for the outcome of a request: whoever sent it, or sent it again. */
export interface Client {
  readonly pending: Pending;
  readonly replyTo: Ref<Outcome>;
  readonly deadlineMs: number;
  /** Undefined once it has been told. */
  timer: WheelEntry<Client> | undefined;
}

/** A request that the router has taken and that somebody waits for, or whose VM still owes an end. */
export interface Pending {
  request: Request;
  /** Those who have not been told yet. */
  readonly clients: Client[];
  /** The last of its clients' deadlines. */
  deadlineMs: number;
  /** The number that its VM knows it by: a new one for each try, so that what comes late for an earlier one is known as such. */
  frame: number;
  /** The VM that it is on. */
  vm: VmId | undefined;
  /** VMs that it may have been worked on by. */
  tries: number;
  /** A guest that it was sent to, and whose link was lost, may still send its reply: after the end, or instead of another try's. */
  mayBeKept: boolean;
  /** Its place in the waiting line, or among those on its VM. */
  place: ListNode<Pending> | undefined;
}
