import type { Fleet } from '../state/fleet.ts';
import type { Neighbour } from '../state/neighbour.ts';
import type { OpenRequest } from '../state/open-request.ts';
import { LEASE_MARGIN_MS, LEASE_MS } from '../values/neighbour.ts';
import type { Outcome } from '../values/request.ts';
import { combine, NOTHING, type Reaction } from './reaction.ts';
import { takeBack } from './retries.ts';

/** A host that lives is back within two of its beats, and tells what it still has: only then is it decided what becomes of the rest. */
const BACK_MS = 2_000;

/** From when on what a lost host had may be given to others: it can tell no client of it any more. @param heardMs when it was last heard */
export function decidedFromMs({ lostMs = 0, isThere }: Neighbour, heardMs: number): number {
  return Math.max(isThere ? lostMs + BACK_MS : lostMs, heardMs + LEASE_MS + LEASE_MARGIN_MS);
}

/** R11: a lost host is what a dead VM is. What it had is tried elsewhere if it may be, and ends if not. */
export function onNeighbourGone(fleet: Fleet, neighbour: Neighbour, nowMs: number): Reaction {
  const lost = { reason: 'host-lost', why: neighbour.lostWhy } as const;
  const back = takeBack(fleet, [...neighbour.requests], lost, nowMs);
  return combine(back, { transitions: [{ kind: 'neighbour-gone', neighbour }], effects: [] });
}

/** The host is back, and tells which requests it still has: the others have never come to it. */
export function onNeighbourBack(fleet: Fleet, neighbour: Neighbour, has: readonly number[], nowMs: number): Reaction {
  const still = new Set(has);
  const missing = [...neighbour.requests].filter(({ frame }) => !still.has(frame));
  if (missing.length === 0) return NOTHING;
  return takeBack(fleet, missing, { reason: 'host-lost', why: 'it never had it' }, nowMs, () => false);
}

/**
 * A neighbour gives a request back.
 * @param wasSent a VM there may have worked on it @param outcome what became of it there, if it lost its VM; else the host is shutting down
 */
export function onGivenBack(
  fleet: Fleet,
  request: OpenRequest,
  { wasSent, outcome }: { readonly wasSent: boolean; readonly outcome?: Outcome },
  nowMs: number,
): Reaction {
  const lost = { reason: 'host-lost', why: 'it is shutting down' } as const;
  return takeBack(fleet, [request], outcome === undefined ? lost : { ...lost, outcome }, nowMs, () => wasSent);
}

/** A neighbour has refused a request: it goes to the next, or waits here. */
export function onRefused(fleet: Fleet, request: OpenRequest, by: string, nowMs: number): Reaction {
  const tellings = fleet.neighbours.get(by)?.tellings ?? 0;
  const refused: Reaction = { transitions: [{ kind: 'request-refused', request, by, tellings, nowMs }], effects: [] };
  return combine(
    refused,
    takeBack(fleet, [request], { reason: 'host-lost', why: 'refused' }, nowMs, () => false),
  );
}
