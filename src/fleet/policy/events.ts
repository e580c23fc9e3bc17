import type { ErrorEnvelope } from '../../errors.ts';
import type { FleetEvent } from '../values/fleet-event.ts';
import type { Grounds } from '../values/grounds.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Effect } from './reaction.ts';

type Kind = FleetEvent['kind'];

/** The event of one VM. @param grounds a decision may be given as it is */
export function eventOfVm(
  kind: Kind,
  vm: VmId,
  host: string,
  text: string,
  grounds?: Grounds,
  error?: ErrorEnvelope,
): Effect {
  return event({ kind, vm, host }, text, grounds, error);
}

export function eventOfHost(kind: Kind, host: string, text: string, grounds?: Grounds, error?: ErrorEnvelope): Effect {
  return event({ kind, host }, text, grounds, error);
}

function event(
  about: Pick<FleetEvent, 'kind' | 'vm' | 'host'>,
  what: string,
  { rule, figures, reason, considered, spare }: Grounds = {},
  error: ErrorEnvelope | undefined,
): Effect {
  const withRule = rule === undefined ? what : `${what} (${rule})`;
  const text = error === undefined || isRepeated(what, error) ? withRule : `${withRule}: ${error.message}`;
  return {
    kind: 'event',
    event: {
      ...about,
      ...(rule === undefined ? {} : { rule }),
      ...(figures === undefined ? {} : { figures }),
      ...(reason === undefined ? {} : { reason }),
      ...(considered === undefined ? {} : { considered }),
      ...(spare === true ? { spare } : {}),
      text,
      ...(error === undefined ? {} : { error }),
    },
  };
}

/** Whether the error ends with the reason that the text ends with. */
function isRepeated(what: string, { message }: ErrorEnvelope): boolean {
  const at = what.indexOf(': ');
  return at >= 0 && message.endsWith(what.slice(at));
}
