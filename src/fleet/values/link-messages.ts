import type { Address } from './address.ts';
import type { RequestStatus } from './request-status.ts';
import type { VmId } from './vm-id.ts';

/** What the router tells the link of a VM. */
export type LinkMessage =
  | {
      readonly kind: 'request';
      /** Unique on this link while it is in flight; the router's number, below 2^53. */
      readonly id: number;
      readonly op: string;
      /** At most 256 bytes; echoed by the guest. */
      readonly token: Uint8Array;
      readonly payload: Uint8Array;
      readonly contentType?: string | undefined;
      /** The guest has said that its frames carry content types. A link may be open before it has. */
      readonly takesTypes?: boolean;
      /** For guests that take no token: the client's id of the request, and its deadline on the monotonic clock. */
      readonly requestId?: string;
      readonly deadlineMs?: number;
    }
  /** The guest ends the request with an error 499 unless it has ended already. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** Asks the guest whether it lives; `link-pong` follows if it answers. */
  | { readonly kind: 'ping' }
  /** The guest prints the line on its console, for its host's controller (R10). Nothing is told of it. */
  | { readonly kind: 'relay'; readonly line: string };

/** What a link tells the router. */
export type LinkEvent =
  /** Connected, and a ping was answered. */
  | { readonly kind: 'link-ready'; readonly vm: VmId }
  /** The guest has answered a `ping`. */
  | { readonly kind: 'link-pong'; readonly vm: VmId }
  | {
      readonly kind: 'link-reply';
      readonly vm: VmId;
      readonly id: number;
      readonly payload: Uint8Array;
      /** Of an image that gives bytes. */
      readonly contentType?: string;
    }
  | {
      readonly kind: 'link-error';
      readonly vm: VmId;
      readonly id: number;
      readonly status: RequestStatus;
      readonly message: string;
    }
  /** A reply to a request that this link never sent: kept by the guest from an earlier connection. */
  | {
      readonly kind: 'link-orphaned-reply';
      readonly vm: VmId;
      readonly token: Uint8Array;
      readonly ok: boolean;
      readonly payload: Uint8Array;
      readonly contentType?: string;
    }
  /**
   * The connection is gone; the link connects again by itself. What was sent may have been worked on, what was not was not. A link owes an end
   * for each request that it was given: a reply, an error, or its name in one of these; one that comes while it is down is unsent at once.
   */
  | {
      readonly kind: 'link-lost';
      readonly vm: VmId;
      readonly sent: readonly number[];
      readonly unsent: readonly number[];
      readonly why: string;
    };

/** Opens the link of a VM; the port by which the router gets at guests. */
export interface LinkTarget {
  readonly vm: VmId;
  readonly address: Address;
  /** SHA-256 of the image that it runs, which says how it is spoken to; undefined if that is not known. */
  readonly imageDigest?: string | undefined;
}
