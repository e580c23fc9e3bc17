import type { Ref } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Outcome, Request } from '../fleet/mod.ts';

/** Sent by the endpoint to the router. */
export interface RouterRequest {
  readonly kind: 'request';
  readonly request: Request;
}

export interface EndpointCounts {
  readonly requests: number;
  readonly errors: number;
  readonly inFlight: number;
  /** Requests without a usable reply subject. */
  readonly withoutReply: number;
  /** Replies that could not be sent because the connection was closed. */
  readonly unsent: number;
  /** Orphaned replies, of requests from before a restart, that were sent to their client. */
  readonly orphanedReplies: number;
}

/** At most one of each kind is sent per second. */
export type EndpointEvent = {
  readonly kind: 'requests-without-reply';
  /** Requests since the previous event. */
  readonly count: number;
};

export type EndpointMessage =
  /** Stops taking requests; replies once the open ones have been answered, or refused at the time limit. */
  | { readonly kind: 'drain'; readonly limitMs: number; readonly replyTo: Ref<true> }
  /** A reply to a request that an earlier Shoal dispatched; the token holds its address. */
  | { readonly kind: 'orphaned-reply'; readonly token: Uint8Array; readonly outcome: Outcome }
  /** Parameter `deadline_ms`, for requests without a deadline. */
  | { readonly kind: 'default-deadline'; readonly deadlineMs: number }
  | { readonly kind: 'counts'; readonly replyTo: Ref<EndpointCounts> }
  // Sent by the endpoint to itself.
  | { readonly kind: 'drained'; readonly replyTo: Ref<true> }
  | { readonly kind: 'subscription-lost'; readonly error: ErrorEnvelope }
  | { readonly kind: 'report-dropped' };
