import type { Msg } from 'nats';
import type { FleetEvent } from '../fleet/mod.ts';

/** The event that a message on the subject of events has; undefined for what is none: anybody may publish there. */
export function fleetEventIn(message: Pick<Msg, 'json'>): FleetEvent | undefined {
  try {
    const event = message.json<Partial<FleetEvent> | null>();
    if (typeof event?.atMs !== 'number' || typeof event.text !== 'string' || typeof event.kind !== 'string')
      return undefined;
    // Beyond what a date can be, it could not be shown.
    if (Number.isNaN(new Date(event.atMs).getTime())) return undefined;
    return { ...event, atMs: event.atMs, text: event.text, kind: event.kind };
  } catch {
    return undefined;
  }
}
