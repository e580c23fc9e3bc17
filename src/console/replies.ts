import { ShoalError } from '../errors.ts';
import type { FleetEvent, FleetSnapshot } from '../fleet/mod.ts';
import { isFleetEvent } from '../transport/mod.ts';

/** What a field of a reply holds; with `?` it may also be null or missing. */
type FieldType = 'string' | 'number' | 'boolean' | 'number?' | 'string?';
export type FieldTypes<Row> = { readonly [name in keyof Row]?: FieldType };

/*
 * Whoever answers is another program: another version, or one that only claims to be a Shoal. A reply of another form is an error that says so,
 * and no defect of the command that asked.
 */

/** @throws NATS_MESSAGE_INVALID */
export function rowIn<Row>(verb: string, value: unknown, fields: FieldTypes<Row>): Row {
  if (typeof value !== 'object' || value === null) throw invalid(verb);
  const found = new Map(Object.entries(value));
  for (const [name, type] of Object.entries<FieldType | undefined>(fields)) {
    if (type !== undefined && !isOf(found.get(name), type)) throw invalid(verb, name);
  }
  // The fields that are used were checked.
  return value as Row;
}

/** @throws NATS_MESSAGE_INVALID */
export function rowsIn<Row>(verb: string, value: unknown, fields: FieldTypes<Row>): readonly Row[] {
  if (!Array.isArray(value)) throw invalid(verb);
  return value.map((row: unknown) => rowIn<Row>(verb, row, fields));
}

/** The reply to `ps`. @throws NATS_MESSAGE_INVALID */
export function snapshotIn(value: unknown): FleetSnapshot {
  const reply = rowIn<FleetSnapshot>('ps', value, {
    waiting: 'number',
    blocked: 'string?',
    addresses: 'number',
    addresses_free: 'number',
    uptime_ms: 'number',
  });
  rowsIn<FleetSnapshot['vms'][number]>('ps', reply.vms, {
    id_vmachine: 'number',
    host: 'string',
    address: 'string',
    state: 'string',
    reason: 'string?',
    cpu: 'number?',
    ram: 'number?',
    free_count: 'number',
    in_flight: 'number',
    served: 'number',
    uptime_ms: 'number?',
  });
  rowsIn<FleetSnapshot['hosts'][number]>('ps', reply.hosts, { host: 'string', up: 'boolean' });
  const { failed } = rowIn<FleetSnapshot['requests']>('ps', reply.requests, { ok: 'number' });
  if (Object.values(rowIn<object>('ps', failed, {})).some((count) => typeof count !== 'number'))
    throw invalid('ps', 'failed');
  // An older fleet knows no deploys.
  return { ...reply, blocked: reply.blocked ?? null, deploy: reply.deploy ?? null };
}

/** The reply to `events`, without what is no event. @throws NATS_MESSAGE_INVALID */
export function eventsIn(value: unknown): readonly FleetEvent[] {
  if (!Array.isArray(value)) throw invalid('events');
  return value.filter(isFleetEvent);
}

/** A line of a VM's console. */
export interface LogEntry {
  readonly atMs: number;
  readonly text: string;
}

/** The reply to `logs`. @throws NATS_MESSAGE_INVALID */
export function logIn(value: unknown): readonly LogEntry[] {
  const { lines } = rowIn<{ lines: unknown }>('logs', value, {});
  return rowsIn<LogEntry>('logs', lines, { atMs: 'number', text: 'string' });
}

function isOf(value: unknown, type: FieldType): boolean {
  // An older server leaves out what it does not know.
  if (type.endsWith('?') && (value === null || value === undefined)) return true;
  return typeof value === type.replace('?', '');
}

function invalid(verb: string, field?: string): ShoalError {
  const where = field === undefined ? '' : ` in its field "${field}"`;
  return new ShoalError(
    'NATS_MESSAGE_INVALID',
    `The reply to "${verb}" is not of the expected form${where}: this Shoal and the one of the fleet may be of different versions`,
    { details: { verb } },
  );
}
