import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { LinkEvent } from '../values/link-messages.ts';
import type { Outcome } from '../values/request.ts';
import { statusOfGuest } from '../values/request-status.ts';
import { failureOfGuest } from './retries.ts';

type OrphanedReply = Extract<LinkEvent, { kind: 'link-orphaned-reply' }>;

/** What becomes of a reply that outlived the connection, or the Shoal, that asked for it (R11). */
export type OrphanDecision =
  /** Its request is gone with the Shoal that asked: the reply goes to whom the token names. */
  | { readonly kind: 'publish'; readonly outcome: Outcome }
  /** Its request is being tried again: the reply ends it. */
  | { readonly kind: 'end'; readonly request: OpenRequest; readonly outcome: Outcome }
  | { readonly kind: 'drop' };

/** @param isAnswered the client has been told an end by a router that failed since */
export function placeOrphan(
  fleet: Fleet,
  reply: OrphanedReply,
  requestId: string,
  isAnswered: boolean,
): OrphanDecision {
  const outcome = outcomeOf(fleet, reply);
  const request = fleet.requests.cache.open(requestId);
  if (request === undefined) {
    return isAnswered || fleet.requests.cache.hasEnded(requestId) ? { kind: 'drop' } : { kind: 'publish', outcome };
  }
  // It may be the reply to another text, which had that id before.
  const whose = fleet.requests.cache.orphanOf(request.request);
  if (whose === 'other') return { kind: 'drop' };
  // An earlier router asked for it, perhaps with another text: only the same client's same request has the same token.
  if (whose === 'unknown' && Buffer.compare(reply.token, request.request.token) !== 0) {
    return isAnswered ? { kind: 'drop' } : { kind: 'publish', outcome };
  }
  // Another host has it, and may have told the client. It tells this one the end.
  if (request.neighbour !== undefined) return { kind: 'drop' };
  // A failure of the first try says nothing about the second.
  return outcome.ok ? { kind: 'end', request, outcome } : { kind: 'drop' };
}

/** The payload of an error is `CODE message`, as in its frame. */
function outcomeOf(fleet: Fleet, { vm, ok, payload, contentType }: OrphanedReply): Outcome {
  const type = contentType === undefined ? {} : { contentType };
  if (ok) return { ok, payload, ...type, vm, host: fleet.host.name };
  const [, code = '502', message = ''] = /^(\d{3}) ?(.*)$/s.exec(new TextDecoder().decode(payload)) ?? [];
  return failureOfGuest(fleet, statusOfGuest(Number(code)), message, vm);
}
