import { withFleet } from '../app/mod.ts';
import { eventsIn, logLine, rowIn, rowsIn } from '../console/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import type { RequestRecord, RequestState } from '../fleet/mod.ts';
import { isConsidered } from '../transport/mod.ts';
import { askHosts, askVm, heard, hostOf } from './asked-hosts.ts';
import type { Command, Flags } from './command.ts';
import { decisionLines, groundsOf, type Told, withRules } from './decision-lines.ts';
import { fleetOf } from './find.ts';
import { printable, printJson, printText, say } from './output.ts';
import type { VmWord } from './vm-word.ts';

/** The latest decisions about VMs. */
export async function explainLast(flags: Flags, count: number, json: boolean): Promise<number> {
  const heardOf = await askHosts(flags, 'explain-last', { count });
  const all = inTime(heardOf.values.flatMap(({ host, value }) => withHost(host, eventsIn(value))));
  const decisions = all.slice(-count);
  if (json) printJson({ kind: 'last', events: decisions });
  else if (decisions.length === 0) say('shoal: nothing has been decided about a VM yet');
  else print(named(decisions, heardOf.isMany).flatMap(decisionLines), decisions);
  return heardOf.exitCode;
}

/** Everything that is kept of one VM, also after it has gone. */
export async function explainVm(command: Command, flags: Flags, word: VmWord, json: boolean): Promise<number> {
  const { host = '', value } = await askVm(command, flags, word, 'explain-vm');
  const events = withHost(host, eventsIn(value));
  if (json) printJson({ kind: 'vm', vm: word.vm, host, events });
  else print(events.flatMap(decisionLines), events);
  return 0;
}

/** Where a request went, from host to host, and where it is. */
export async function explainRequest(flags: Flags, id: string, json: boolean): Promise<number> {
  const { values, isMany, exitCode } = await withFleet(fleetOf(flags), 'explain', async ({ every }) => {
    const answers = await every('explain-request', { id }, hostOf(flags));
    return heard(answers, (error) => codeOf(error) !== 'REQUEST_UNKNOWN');
  });
  const known = values.map(({ host, value }) => ({ host, ...requestIn(value) }));
  const steps = inTime(known.flatMap((one) => withHost(one.host, one.steps)));
  // The host that took it in has its place in the line; one that works on it has its VM.
  const states = known.flatMap(({ host, now }) => (now === null ? [] : withHost(host, [now])));
  if (json) {
    printJson({ kind: 'request', request: id, now: states[0] ?? null, steps });
    return exitCode;
  }
  // The last step of a host says when it ended there.
  const told = new Set(steps.filter(({ kind }) => kind === 'ended').map(({ host }) => host));
  const open = states.filter(({ state, host }) => state !== 'ended' || !told.has(host));
  const state = named(open, isMany).flatMap((now) => {
    return [printable(logLine({ atMs: Date.now(), text: now.text })), ...groundsOf(now)];
  });
  print([...named(steps, isMany).flatMap(decisionLines), ...state], [...steps, ...open]);
  return exitCode;
}

/** An event of a host of an earlier version does not say whose it is. */
export function withHost<T extends object>(host: string, all: readonly T[]): (T & { readonly host: string })[] {
  return all.map((one) => ({ host, ...one }));
}

export function inTime<T extends { readonly atMs: number }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => a.atMs - b.atMs);
}

/** With the host before the text where there are several. */
export function named<T extends { readonly host?: string; readonly text: string }>(
  all: readonly T[],
  isMany: boolean,
): readonly T[] {
  return isMany ? all.map((one) => ({ ...one, text: `${one.host ?? '?'}: ${one.text}` })) : all;
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
