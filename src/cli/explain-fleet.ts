import { askFleet } from '../app/mod.ts';
import { eventsIn, logLine, rowIn, rowsIn } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import type { RequestRecord, RequestState } from '../fleet/mod.ts';
import { isConsidered } from '../transport/mod.ts';
import type { Flags } from './command.ts';
import { decisionLines, groundsOf, type Told, withRules } from './decision-lines.ts';
import { fleetOf } from './find.ts';
import { printable, printJson, printText, say } from './output.ts';

/** The latest decisions about VMs. */
export async function explainLast(flags: Flags, count: number, json: boolean): Promise<number> {
  const decisions = eventsIn(await askFleet(fleetOf(flags), 'explain-last', { count }));
  if (json) printJson({ kind: 'last', events: decisions });
  else if (decisions.length === 0) say('shoal: nothing has been decided about a VM yet');
  else print(decisions.flatMap(decisionLines), decisions);
  return 0;
}

/** Everything that is kept of one VM, also after it has gone. */
export async function explainVm(flags: Flags, vm: number, json: boolean): Promise<number> {
  const events = eventsIn(await askFleet(fleetOf(flags), 'explain-vm', { vm }));
  if (json) printJson({ kind: 'vm', vm, events });
  else print(events.flatMap(decisionLines), events);
  return 0;
}

/** Where a request went, and where it is. */
export async function explainRequest(flags: Flags, id: string, json: boolean): Promise<number> {
  const { now, steps } = requestIn(await askFleet(fleetOf(flags), 'explain-request', { id }));
  if (json) {
    printJson({ kind: 'request', request: id, now, steps });
    return 0;
  }
  // The last step says when it ended.
  const isToldByStep = now?.state === 'ended' && steps.at(-1)?.kind === 'ended';
  const state = now === null || isToldByStep ? [] : [now];
  const lines = state.flatMap((one) => [printable(logLine({ atMs: Date.now(), text: one.text })), ...groundsOf(one)]);
  print([...steps.flatMap(decisionLines), ...lines], [...steps, ...state]);
  return 0;
}

function print(lines: readonly string[], told: readonly Told[]): void {
  printText(withRules(lines, told));
}

/** @throws NATS_MESSAGE_INVALID */
function requestIn(reply: unknown): { readonly now: RequestState | null; readonly steps: readonly RequestRecord[] } {
  const { now, steps } = rowIn<{ now: unknown; steps: unknown }>('explain-request', reply, {});
  const known = { text: 'string', rule: 'string?', reason: 'string?' } as const;
  const all = rowsIn<RequestRecord>('explain-request', steps, { ...known, atMs: 'number', kind: 'string' });
  const state = now === null ? null : rowIn<RequestState>('explain-request', now, { ...known, state: 'string' });
  const lists = [...all, ...(state === null ? [] : [state])].map(({ considered }) => considered ?? []);
  if (!lists.every(isConsidered)) {
    throw new ShoalError(
      'NATS_MESSAGE_INVALID',
      'The reply to "explain-request" says in no known form what was considered',
    );
  }
  return { now: state, steps: all };
}
