import type { Address } from '../values/address.ts';
import type { GuestReady, GuestReport } from '../values/guest.ts';
import type { HostFigures } from '../values/neighbour.ts';
import type { Params } from '../values/params.ts';
import type { Rule } from '../values/rule.ts';
import type { VmId, WantedEnd } from '../values/vm-id.ts';
import type { VmMemory } from '../values/vm-memory.ts';
import type { DeployTransition } from './deploy.ts';
import type { HostMemory } from './host.ts';
import type { Neighbour } from './neighbour.ts';
import type { OpenRequest, Waiter } from './open-request.ts';
import type { NewVm } from './vm.ts';

/** All that changes a fleet. Times are monotonic milliseconds. One that does not fit (late, repeated) changes nothing. */
export type Transition = FleetTransition | AddressTransition | VmTransition | RequestTransition | DeployTransition;

export type FleetTransition =
  | { readonly kind: 'params'; readonly params: Params }
  /** The server ends: nothing is started except for requests that wait, and nothing is scaled down. */
  | { readonly kind: 'closing' }
  /** Our own process stood still: no silence in that time counts. */
  | { readonly kind: 'paused'; readonly forMs: number }
  /** Its controller is in reach, for the first time or again. */
  | { readonly kind: 'host-up'; readonly nowMs: number }
  | { readonly kind: 'host-away'; readonly nowMs: number }
  /** A VM has failed: nothing is started before `notBeforeMs`. */
  | { readonly kind: 'host-failure'; readonly failures: number; readonly notBeforeMs: number; readonly nowMs: number }
  | { readonly kind: 'host-memory'; readonly memory: HostMemory; readonly nowMs: number }
  /** The store gave no id for a VM. */
  | { readonly kind: 'no-id'; readonly untilMs: number }
  /** What was last told of why no VM can be started. */
  | { readonly kind: 'blocked'; readonly cause: string | undefined }
  /** Requests that wait were told why. */
  | { readonly kind: 'wait-told'; readonly nowMs: number }
  | { readonly kind: 'sizing-fault'; readonly why: string | undefined }
  /** The host hands on all it can, and takes nothing from others. */
  | { readonly kind: 'cordoned'; readonly on: boolean }
  | NeighbourTransition;

/** What is known of other hosts. */
export type NeighbourTransition =
  | { readonly kind: 'neighbour-up'; readonly host: string; readonly session: string; readonly nowMs: number }
  /** `seen`: the last of the requests that were handed to it which it had seen when it told. */
  | {
      readonly kind: 'neighbour-told';
      readonly host: string;
      readonly figures: HostFigures;
      readonly seen: number;
      readonly nowMs: number;
    }
  /** It takes nothing any more; what it has is decided on later. */
  | {
      readonly kind: 'neighbour-lost';
      readonly host: string;
      readonly why: string;
      /** It lives, and will be back in a moment. */
      readonly isThere?: boolean;
      readonly nowMs: number;
    }
  /** All that it had is decided on. */
  | { readonly kind: 'neighbour-gone'; readonly neighbour: Neighbour };

export type AddressTransition =
  | { readonly kind: 'address-added'; readonly address: Address }
  | { readonly kind: 'address-removed'; readonly id: number }
  /** A VM that the tables know and the fleet has never seen is gone; its address is held until that is durable. */
  | { readonly kind: 'absent-gone'; readonly vm: VmId }
  | { readonly kind: 'released'; readonly vm: VmId }
  /** A bind on it has failed: no VM is started on it for a while. */
  | { readonly kind: 'address-quarantined'; readonly address: Address; readonly untilMs: number };

/** What happens to one VM. */
export type VmTransition =
  | ({ readonly kind: 'vm-reserved' } & NewVm)
  /** Its reservation is durable. */
  | { readonly kind: 'vm-durable'; readonly vm: VmId }
  /** The tables give its address to another VM. */
  | { readonly kind: 'vm-refused'; readonly vm: VmId }
  /** R3 wants the spare now. */
  | {
      readonly kind: 'vm-wanted';
      readonly vm: VmId;
      readonly rule?: Rule | undefined;
      readonly replaces?: VmId | undefined;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'vm-prepared';
      readonly vm: VmId;
      readonly pid: number;
      readonly imageDigest: string | undefined;
      readonly memory?: VmMemory | undefined;
    }
  /** A spare is told to boot, or has done so and stands still. */
  | { readonly kind: 'vm-spare-booted'; readonly vm: VmId; readonly booted: 'asked' | 'yes' }
  | { readonly kind: 'vm-booting'; readonly vm: VmId; readonly nowMs: number }
  | { readonly kind: 'vm-answering'; readonly vm: VmId; readonly guest: GuestReady }
  | { readonly kind: 'vm-linked'; readonly vm: VmId; readonly linked: boolean; readonly nowMs: number }
  /** Its link takes no message for the moment, or takes messages again. */
  | { readonly kind: 'vm-congested'; readonly vm: VmId; readonly congested: boolean }
  | { readonly kind: 'vm-report'; readonly vm: VmId; readonly report: GuestReport; readonly nowMs: number }
  /** It is asked over its link whether it lives. */
  | { readonly kind: 'vm-asked'; readonly vm: VmId; readonly nowMs: number }
  /** It has answered. */
  | { readonly kind: 'vm-heard'; readonly vm: VmId; readonly nowMs: number }
  /** It did not relay a command in time. */
  | { readonly kind: 'vm-relay-missed'; readonly vm: VmId; readonly nowMs: number }
  | { readonly kind: 'vm-replace'; readonly vm: VmId }
  | ({ readonly kind: 'vm-draining'; readonly vm: VmId; readonly ejected: boolean } & WantedEnd)
  | ({ readonly kind: 'vm-stopping'; readonly vm: VmId; readonly nowMs: number } & WantedEnd)
  | { readonly kind: 'vm-stop-sent'; readonly vm: VmId; readonly nowMs: number }
  /** Its process is confirmed gone; its address is held until that is durable. */
  | { readonly kind: 'vm-gone'; readonly vm: VmId };

/** Where a request is. */
export type RequestTransition =
  | { readonly kind: 'request-waits'; readonly request: OpenRequest; readonly where: 'last' | 'first' }
  | { readonly kind: 'request-dispatched'; readonly request: OpenRequest; readonly vm: VmId }
  /** It is handed on to another host under that number. */
  | { readonly kind: 'request-handed'; readonly request: OpenRequest; readonly host: string; readonly frame: number }
  /** Another host has refused it. */
  | {
      readonly kind: 'request-refused';
      readonly request: OpenRequest;
      readonly by: string;
      /** How often it had told of itself. */
      readonly tellings: number;
      readonly nowMs: number;
    }
  /** Other hosts are asked about it. */
  | { readonly kind: 'request-asks'; readonly request: OpenRequest }
  /** Its deadline has passed at a host that may have told its client: until then that is waited for. */
  | {
      readonly kind: 'waiter-extended';
      readonly request: OpenRequest;
      readonly waiter: Waiter;
      readonly untilMs: number;
    }
  /** Its guest may keep the reply, although the request stays on the VM until that has ended. */
  | { readonly kind: 'request-orphaned'; readonly request: OpenRequest }
  /**
   * It leaves the line or its VM. `fault`: true for a link error, 502 or 504, false for a reply that shows the VM sound; undefined tells
   * nothing. `tried`: `unsent` if nothing of it was sent, so that the try does not count; `orphaned` if its guest may keep a reply.
   */
  | {
      readonly kind: 'request-left';
      readonly request: OpenRequest;
      readonly nowMs: number;
      readonly fault?: boolean | undefined;
      /** Of one that its VM has answered: whether with an error. */
      readonly isError?: boolean | undefined;
      readonly tried?: 'unsent' | 'orphaned';
    };
