import type { Ref } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Outcome, Request } from '../fleet/mod.ts';

/** What the endpoint tells the router. */
export interface RouterRequest {
  readonly kind: 'request';
  readonly request: Request;
}

export interface EndpointCounts {
  readonly requests: number;
  readonly errors: number;
  readonly inFlight: number;
  /** Requests that nobody could be told about: they had no reply subject. */
  readonly withoutReply: number;
  /** Replies that could not be sent, because the connection was closed. */
  readonly unsent: number;
  /** Replies from before a restart that found their client. */
  readonly orphanedReplies: number;
}

/** Events for whoever keeps events; at most one of a kind a second. */
export type EndpointEvent = {
  readonly kind: 'requests-without-reply';
  /** Since the event before. */
  readonly count: number;
};

export type EndpointMessage =
  /** Takes no more requests; replies when those in hand are answered, or were refused at the time limit. */
  | { readonly kind: 'drain'; readonly limitMs: number; readonly replyTo: Ref<true> }
  /** What a guest sent for a request of a Shoal before us; its token says to whom. */
  | { readonly kind: 'orphaned-reply'; readonly token: Uint8Array; readonly outcome: Outcome }
  /** `deadline_ms` of the parameters: for requests that name no deadline. */
  | { readonly kind: 'default-deadline'; readonly deadlineMs: number }
  | { readonly kind: 'counts'; readonly replyTo: Ref<EndpointCounts> }
  // The endpoint's own.
  | { readonly kind: 'drained'; readonly replyTo: Ref<true> }
  | { readonly kind: 'subscription-lost'; readonly error: ErrorEnvelope }
  | { readonly kind: 'report-dropped' };
