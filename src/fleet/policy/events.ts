import type { ErrorEnvelope } from '../../errors.ts';
import type { FleetEvent } from '../values/fleet-event.ts';
import type { Reason } from '../values/rule.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Effect } from './reaction.ts';

type Kind = FleetEvent['kind'];

/** The event of one VM. @param reason a decision may be given as it is */
export function eventOfVm(
  kind: Kind,
  vm: VmId,
  host: string,
  text: string,
  reason?: Reason,
  error?: ErrorEnvelope,
): Effect {
  return event({ kind, vm, host }, text, reason, error);
}

export function eventOfHost(kind: Kind, host: string, text: string, reason?: Reason, error?: ErrorEnvelope): Effect {
  return event({ kind, host }, text, reason, error);
}

function event(
  about: Pick<FleetEvent, 'kind' | 'vm' | 'host'>,
  what: string,
  reason: Reason | undefined,
  error: ErrorEnvelope | undefined,
): Effect {
  const withRule = reason?.rule === undefined ? what : `${what} (${reason.rule})`;
  const text = error === undefined ? withRule : `${withRule}: ${error.message}`;
  const rule = reason?.rule === undefined ? {} : { rule: reason.rule };
  const figures = reason === undefined ? {} : { figures: reason.figures };
  const told = { ...about, ...rule, ...figures, text };
  return { kind: 'event', event: error === undefined ? told : { ...told, error } };
}
