import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { RequestState } from '../values/request-record.ts';
import { Plan } from './plan.ts';
import { waitOf } from './rules/waiting.ts';

/** Where the request with that id is now, and why; null if none is open or kept under that id. */
export function explainRequest(fleet: Fleet, requestId: string, nowMs: number): RequestState | null {
  const open = fleet.requests.cache.open(requestId);
  if (open !== undefined) return openState(fleet, requestId, open, nowMs);
  const outcome = fleet.requests.cache.outcomeOf(requestId, nowMs);
  if (outcome === undefined) return null;
  const state = { requestId, state: 'ended' } as const;
  if (outcome.ok) return { ...state, vm: outcome.vm, reason: 'replied', text: `VM ${outcome.vm} has replied` };
  const { vm, reason, status, message } = outcome;
  return { ...state, ...(vm === undefined ? {} : { vm }), reason, text: `${status}: ${message}` };
}

function openState(fleet: Fleet, requestId: string, open: OpenRequest, nowMs: number): RequestState {
  const sinceMs = Math.round(nowMs - open.arrivedMs);
  const figures = { since_ms: sinceMs, left_ms: Math.round(open.deadlineMs - nowMs), tries: open.tries };
  const { vm } = open;
  if (vm !== undefined) {
    const text = `it is on VM ${vm}, ${sinceMs} ms after it came`;
    return { requestId, state: 'on-vm', vm, rule: open.wasFree ? 'R2' : 'R4', figures, text };
  }
  const { neighbour } = open;
  if (neighbour !== undefined) {
    const text = `host ${neighbour.name} has it, ${sinceMs} ms after it came`;
    return { requestId, state: 'on-host', host: neighbour.name, figures, text };
  }
  if (open.hops?.isAsking === true) {
    return {
      requestId,
      state: 'asking',
      figures,
      text: `it is a repeat, and other hosts are asked about it for ${sinceMs} ms`,
    };
  }
  const wait = waitOf(new Plan(fleet, nowMs));
  const text = `it waits for ${sinceMs} ms`;
  if (wait === undefined) return { requestId, state: 'waiting', figures, text: `${text}, and is served next` };
  const { rule, reason, considered, why } = wait;
  const all = { ...wait.figures, ...figures };
  return { requestId, state: 'waiting', rule, reason, figures: all, considered, text: `${text}: ${why} (${rule})` };
}
