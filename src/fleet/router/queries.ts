import { explainRequest } from '../policy/explain-request.ts';
import { wantedBlockage } from '../policy/rules/blocked.ts';
import type { Fleet } from '../state/fleet.ts';
import { snapshot } from '../state/snapshot.ts';
import { kindsOf } from './kinds.ts';
import type { RouterMessage } from './router-messages.ts';

/** A question about the fleet: its answer is all that follows. */
export type Query = Extract<RouterMessage, { kind: 'snapshot' | 'explain-request' | 'request-figures' }>;

export const isQuery = kindsOf<Query>({ snapshot: true, 'explain-request': true, 'request-figures': true });

export function answer(fleet: Fleet, query: Query, nowMs: number): void {
  switch (query.kind) {
    case 'snapshot':
      query.replyTo.tell(snapshot(fleet, wantedBlockage(fleet, nowMs)?.text, nowMs));
      return;
    case 'explain-request':
      query.replyTo.tell(explainRequest(fleet, query.requestId, nowMs));
      return;
    case 'request-figures':
      query.replyTo.tell(fleet.requests.counts.figures());
      return;
  }
}
