import type { Msg } from 'nats';
import type { FleetEvent } from '../fleet/mod.ts';
import { isErrorEnvelope, isRecord } from './json-checks.ts';

/** An event of ours has a line of text, a few figures and an error without its stack. Consoles keep hundreds. */
const EVENT_BYTES_MAX = 64 * 1024;

/** The event in a message on the subject of events; undefined if there is none: anybody may publish there. */
export function fleetEventIn(message: Pick<Msg, 'data' | 'json'>): FleetEvent | undefined {
  if (message.data.length > EVENT_BYTES_MAX) return undefined;
  try {
    const event = message.json<unknown>();
    return isFleetEvent(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Of another version it may have kinds and fields that are not known here; those that are have their types. */
function isFleetEvent(value: unknown): value is FleetEvent {
  if (!isRecord(value)) return false;
  const { atMs, kind, text, vm, host, rule, figures, error } = value;
  // Beyond what a date can be, it could not be shown.
  if (typeof atMs !== 'number' || Number.isNaN(new Date(atMs).getTime())) return false;
  if (typeof kind !== 'string' || typeof text !== 'string') return false;
  const isPlace = (vm === undefined || Number.isSafeInteger(vm)) && (host === undefined || typeof host === 'string');
  const isReason = (rule === undefined || typeof rule === 'string') && (figures === undefined || isRecord(figures));
  return isPlace && isReason && (error === undefined || isErrorEnvelope(error));
}
