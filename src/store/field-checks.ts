import { isIPv4 } from 'node:net';
import type { VmState } from '../fleet/mod.ts';
import type { SoftFields } from './port.ts';
import type { IpPoolRow, SystemParamRow, VmachineRow } from './rows.ts';

/** The check of one field. `expected` completes the sentence "must be ...". */
export interface FieldCheck {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

export type RowChecks<Row> = { readonly [field in keyof Row]-?: FieldCheck };

/** No fleet uses up so many ids, so a higher one is damage. Near the end of the safe integers there would be no next id. */
const ID_MAX = 2 ** 48;
/** Longer than any host's name or digest. */
const TEXT_CHARS_MAX = 255;
const PORT_MAX = 65_535;

/** A record, so that the compiler asks for each new state. */
const STATES: Readonly<Record<VmState, true>> = {
  preparing: true,
  prepared: true,
  booting: true,
  ready: true,
  draining: true,
  stopping: true,
  gone: true,
  unknown: true,
};

const id = whole(1, ID_MAX);
const count = whole(0, Number.MAX_SAFE_INTEGER);
const timeMs = count;
const text: FieldCheck = {
  expected: `a text of 1 to ${TEXT_CHARS_MAX} characters`,
  accepts: (value) => typeof value === 'string' && value.length >= 1 && value.length <= TEXT_CHARS_MAX,
};
const flag: FieldCheck = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };

export const COUNTER: FieldCheck = whole(1, Number.MAX_SAFE_INTEGER);

export const SYSTEM_PARAM: RowChecks<SystemParamRow> = { key: text, value: count };

export const IP_POOL: RowChecks<IpPoolRow> = {
  id_ip: id,
  ip: { expected: 'an IPv4 address', accepts: (value) => typeof value === 'string' && isIPv4(value) },
  port: whole(1, PORT_MAX),
  reserve: flag,
  last_reserve: orNull(timeMs),
  host: text,
  vm: orNull(id),
  retired: flag,
};

export const VMACHINE: RowChecks<VmachineRow> = {
  id_vmachine: id,
  id_ip: id,
  cpu: {
    expected: 'a number from 0 to 100',
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= 100,
  },
  ram: count,
  free_count: count,
  last_connect: timeMs,
  host: text,
  state: {
    expected: `one of ${Object.keys(STATES).join(', ')}`,
    accepts: (value) => typeof value === 'string' && Object.hasOwn(STATES, value),
  },
  pid: orNull(whole(1, Number.MAX_SAFE_INTEGER)),
  start_ticks: orNull(count),
  image_digest: orNull(text),
  started_ms: timeMs,
};

export const SOFT_FIELDS: RowChecks<SoftFields> = {
  cpu: VMACHINE.cpu,
  ram: VMACHINE.ram,
  free_count: VMACHINE.free_count,
  last_connect: VMACHINE.last_connect,
  state: VMACHINE.state,
};

export function isId(value: number): boolean {
  return id.accepts(value);
}

function whole(min: number, max: number): FieldCheck {
  return {
    expected: `a whole number from ${min} to ${max}`,
    accepts: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max,
  };
}

function orNull(check: FieldCheck): FieldCheck {
  return { expected: `${check.expected}, or null`, accepts: (value) => value === null || check.accepts(value) };
}
