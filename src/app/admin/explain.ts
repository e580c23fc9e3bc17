import type { Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { FAILED_A_SECOND, RECORDED_A_SECOND, type RequestState, type RouterMessage } from '../../fleet/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { DECISIONS_KEPT, REQUEST_STEPS_KEPT } from '../explanations.ts';
import { Arguments } from './arguments.ts';
import { type AdminDeps, ASK_TIMEOUT_MS } from './deps.ts';

/** Of decisions, events or steps in one reply. */
const TOLD_MAX = 500;
const EVENTS_MAX = 1_000;

/** Verbs about why something was decided. */
export function explainHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  const { explanations } = deps.eventLog;
  return {
    'explain-last': (args) => {
      const count = new Arguments(args).whole('count', { min: 1, max: TOLD_MAX });
      return Promise.resolve(explanations.last(count));
    },
    'explain-vm': async (args) => ofVm(deps, new Arguments(args).vm()),
    'explain-request': (args) => ofRequest(deps, new Arguments(args).text('id')),
  };
}

/** All events of the VM that are remembered, and the decisions about it from before those. */
function ofVm({ eventLog }: AdminDeps, vm: number): unknown {
  const recent = eventLog.latest(EVENTS_MAX, vm);
  const known = new Set(recent);
  const events = [...eventLog.explanations.ofVm(vm).filter((event) => !known.has(event)), ...recent];
  if (events.length > 0) return events.slice(-TOLD_MAX);
  const since = sinceText(eventLog.explanations.decisionsSinceMs, eventLog.nowMs);
  throw new ShoalError(
    'VM_UNKNOWN',
    `Nothing is known of VM ${vm}. Kept are the latest ${DECISIONS_KEPT} decisions about VMs and their ends, ${since}; \`shoal ps\` lists the VMs that run`,
    { details: { vm } },
  );
}

async function ofRequest(deps: AdminDeps, requestId: string): Promise<unknown> {
  const { eventLog, router, settings, system } = deps;
  const ask = (replyTo: Ref<RequestState | null>): RouterMessage => ({ kind: 'explain-request', requestId, replyTo });
  const now = await system.ask<RouterMessage, RequestState | null>(router, ask, ASK_TIMEOUT_MS);
  const steps = eventLog.explanations.ofRequest(requestId);
  if (now !== null || steps.length > 0) return { requestId, now, steps: steps.slice(-TOLD_MAX) };
  const since = sinceText(eventLog.explanations.stepsSinceMs, eventLog.nowMs);
  throw new ShoalError(
    'REQUEST_UNKNOWN',
    `Nothing is known of the request ${JSON.stringify(requestId)}. Kept are open requests, replies for dedup_ms (${settings.params.dedupMs} ms), ` +
      `and of each second the first ${RECORDED_A_SECOND} requests and the first ${FAILED_A_SECOND} that fail, in ${REQUEST_STEPS_KEPT} steps, ${since}`,
    { details: { requestId } },
  );
}

/** In the form and the zone of the events, with the day only if it is not today. */
export function sinceText(sinceMs: number | undefined, nowMs: number): string {
  if (sinceMs === undefined) return 'of which there are none yet';
  const [day = '', time = ''] = new Date(sinceMs).toISOString().slice(0, -1).split('T');
  return new Date(nowMs).toISOString().startsWith(day) ? `the oldest of ${time}` : `the oldest of ${day} ${time}`;
}
