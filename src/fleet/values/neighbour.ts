/** What a host tells others of itself. What is known of it is a little old, and may be wrong. */
export interface HostFigures {
  /** Requests that its free VMs take at once (R2). */
  readonly free: number;
  /** VMs that it could start now and nobody waits for: their addresses are free, and it has the memory (R3). */
  readonly room: number;
  /** VMs on their way to ready. */
  readonly starting: number;
  /** Requests in flight on the VM that R4 would choose there; null if none takes more. */
  readonly shortestQueue: number | null;
  /** Requests that wait there. */
  readonly waiting: number;
  /** It takes nothing from others. */
  readonly cordoned: boolean;
  /** Its image may do the same work twice: what was on it when it was lost may be tried elsewhere. */
  readonly idempotent: boolean;
}

/** What a request is handed on for: a free VM (R2), a VM that is started for it (R3), a place in the queue of a VM (R4). */
export type HandOnFor = 'free' | 'room' | 'queue';

/** How many neighbours a request is offered to before it waits for a moment at the host that took it in. */
export const HOPS_MAX = 3;

/** For so long after it was refused by that many, a request that waits is not handed on. */
export const HOPS_AGAIN_MS = 100;

/**
 * A host may tell a client how its request ended for so long after it gave a sign of life that the host which took the request in has heard.
 * Beyond it, that host may have given the request to another.
 */
export const LEASE_MS = 2_000;

/**
 * How much later than that a host takes the right for over: clocks do not run alike, and the other needs a moment to take back what it has
 * published and the network has not taken. Below the silence after which a host is lost.
 */
export const LEASE_MARGIN_MS = 500;

/** How long after the end of its right a host waits for a sign that its replies have left, before it takes them back. */
export const TAKE_BACK_MS = 200;
