import type { Msg } from 'nats';
import type { Considered, FleetEvent } from '../fleet/mod.ts';
import { isRecord } from '../is-record.ts';
import { isErrorEnvelope } from './json-checks.ts';

/** An event holds a line of text, a few figures and an error without its stack; consoles keep hundreds of events. */
const EVENT_BYTES_MAX = 64 * 1024;

/** Reads a message from the event subject, to which anybody may publish. @returns undefined if it holds no event */
export function fleetEventIn(message: Pick<Msg, 'data' | 'json'>): FleetEvent | undefined {
  if (message.data.length > EVENT_BYTES_MAX) return undefined;
  try {
    const event = message.json<unknown>();
    return isFleetEvent(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Allows unknown kinds and fields, which a newer version may send; known fields must have their types. */
export function isFleetEvent(value: unknown): value is FleetEvent {
  if (!isRecord(value)) return false;
  const { atMs, kind, text, vm, host, rule, figures, reason, considered, error } = value;
  // A time beyond the range of Date could not be shown.
  if (typeof atMs !== 'number' || Number.isNaN(new Date(atMs).getTime())) return false;
  if (typeof kind !== 'string' || typeof text !== 'string') return false;
  const isPlace = (vm === undefined || Number.isSafeInteger(vm)) && (host === undefined || typeof host === 'string');
  const isReason = (rule === undefined || typeof rule === 'string') && (figures === undefined || isRecord(figures));
  if (reason !== undefined && typeof reason !== 'string') return false;
  if (considered !== undefined && !isConsidered(considered)) return false;
  return isPlace && isReason && (error === undefined || isErrorEnvelope(error));
}

/** What a decision considered. */
export function isConsidered(value: unknown): value is readonly Considered[] {
  if (!Array.isArray(value)) return false;
  return value.every((one: unknown) => {
    if (!isRecord(one)) return false;
    const { what, why, rule } = one;
    return typeof what === 'string' && typeof why === 'string' && (rule === undefined || typeof rule === 'string');
  });
}
