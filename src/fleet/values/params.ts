import { ShoalError } from '../../errors.ts';
import { VMS_MAX } from './limits.ts';

/** The rows of `system_params` as one value. Counts, milliseconds, bytes and percent as the names say. */
export interface Params {
  /** Idle reports in a row that make a VM surplus. */
  readonly freeCount: number;
  /** VMs a controller keeps running. */
  readonly minVmCount: number;
  /** Silence after which a VM counts as dead. */
  readonly lastConnectMs: number;
  /** How long a reservation may stand without a VM. */
  readonly ipReserveMs: number;
  readonly statusIntervalMs: number;
  /** From start to ready. */
  readonly bootTimeoutMs: number;
  /** Below it a report shows no load. */
  readonly idleCpuPercent: number;
  /** Requests that a VM works on at a time and still counts as free below. */
  readonly vmRequestsMax: number;
  /** Requests that R4 may put on a VM beyond that. */
  readonly vmBacklogMax: number;
  /** Requests that may wait in the router. */
  readonly routerQueueMax: number;
  /** A request's deadline if it names none. */
  readonly deadlineMs: number;
  /** How long a request id is remembered. */
  readonly dedupMs: number;
  /** Grace past a deadline before a silent, busy VM counts as stuck. */
  readonly stuckMs: number;
  /** VMs kept in reserve. */
  readonly spareVmCount: number;
  /** How far they are: the index in `SPARE_STATES`. */
  readonly spareState: number;
  /** No start when less would stay available. */
  readonly hostMemoryReserveBytes: number;
  /** Memory of a VM that is started from now on; 0: what its image's profile says. */
  readonly vmMemoryBytes: number;
}

interface Definition {
  readonly key: keyof Params;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** The words of people for the values from 0 on, if it is no figure to them. */
  readonly words?: readonly string[];
  /** It is a multiple of this. */
  readonly unit?: number;
  /** It depends on the size of a host, so each host has its own. Any other parameter is the whole fleet's. */
  readonly isOfHost?: true;
  /** Hosts of Shoal 0.1 do not know it, and refuse a document that names it. */
  readonly isLater?: true;
}

/** A spare's CPU has never run, or its guest is ready and stands still. */
export const SPARE_STATES = ['prepared', 'booted'] as const;
export const SPARE_BOOTED = SPARE_STATES.indexOf('booted');

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

/** Under the names of the table, with what a value may be. */
export const PARAMETERS: Readonly<Record<string, Definition>> = {
  free_count: { key: 'freeCount', default: 5, min: 1, max: 1_000_000 },
  min_vm_count: { key: 'minVmCount', default: 1, min: 0, max: VMS_MAX, isOfHost: true },
  last_connect_ms: { key: 'lastConnectMs', default: 5_000, min: 30, max: DAY_MS },
  ip_reserve_ms: { key: 'ipReserveMs', default: 15_000, min: 1, max: DAY_MS },
  status_interval_ms: { key: 'statusIntervalMs', default: 1_000, min: 10, max: 3_600_000 },
  boot_timeout_ms: { key: 'bootTimeoutMs', default: 10_000, min: 1, max: 3_600_000 },
  idle_cpu_percent: { key: 'idleCpuPercent', default: 5, min: 0, max: 100 },
  vm_requests_max: { key: 'vmRequestsMax', default: 1, min: 1, max: 4_096 },
  vm_backlog_max: { key: 'vmBacklogMax', default: 16, min: 0, max: 65_536 },
  router_queue_max: { key: 'routerQueueMax', default: 10_000, min: 0, max: 10_000_000 },
  deadline_ms: { key: 'deadlineMs', default: 30_000, min: 1, max: 3_600_000 },
  dedup_ms: { key: 'dedupMs', default: 60_000, min: 0, max: DAY_MS },
  stuck_ms: { key: 'stuckMs', default: 5_000, min: 0, max: DAY_MS },
  spare_vm_count: { key: 'spareVmCount', default: 0, min: 0, max: VMS_MAX, isOfHost: true },
  spare_state: {
    key: 'spareState',
    default: 0,
    min: 0,
    max: SPARE_STATES.length - 1,
    words: SPARE_STATES,
    isOfHost: true,
  },
  host_memory_reserve_bytes: {
    key: 'hostMemoryReserveBytes',
    default: 512 * MIB,
    min: 0,
    max: 2 ** 50,
    isOfHost: true,
  },
  // QEMU takes whole MiB. The most is that of a profile.
  vm_memory_bytes: { key: 'vmMemoryBytes', default: 0, min: 0, max: 65_536 * MIB, unit: MIB, isLater: true },
};

/** Silence shorter than this many reports says nothing: one may be late, one may be lost. */
export const REPORTS_BEFORE_SILENCE = 3;

/** Link errors, 502 and 504 in a row after which a VM is ejected (R2): one may be the request's fault, two bad luck. */
export const FAULTS_MAX = 3;

/** How often a controller tells of its host. */
const HOST_STATS_INTERVAL_MS = 1_000;

/** Silence after which a host is out of reach: it tells at its own interval, whatever the interval of its guests. */
export function hostSilenceMs({ lastConnectMs }: Params): number {
  return Math.max(lastConnectMs, REPORTS_BEFORE_SILENCE * HOST_STATS_INTERVAL_MS);
}

/**
 * The defaults with `values` put over them, validated together.
 * @param values from the table's names to numbers, or text that stands for one (a flag's)
 * @throws CONFIG_VALUE naming the parameter, the value and what it may be
 */
export function makeParams(values: Readonly<Record<string, number | string>> = {}, base: Params = defaults()): Params {
  const params: { -readonly [key in keyof Params]: number } = { ...base };
  for (const [name, value] of Object.entries(values)) {
    const definition = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (definition === undefined) throw unknownParameter(name);
    params[definition.key] = checked(name, value, definition);
  }
  checkTogether(params);
  return params;
}

/** From the names of the table to the values. */
export function paramsTable(params: Params): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(PARAMETERS).map(([name, { key }]) => [name, params[key]]));
}

function defaults(): Params {
  const entries = Object.values(PARAMETERS).map((definition) => [definition.key, definition.default]);
  // Every key of Params has exactly one definition, which a test holds.
  return Object.fromEntries(entries) as unknown as Params;
}

/** The value of a parameter in the words of people. */
export function paramText(name: string, value: number): string {
  return PARAMETERS[name]?.words?.[value] ?? String(value);
}

function checked(name: string, value: number | string, { min, max, words, unit = 1 }: Definition): number {
  if (words !== undefined && typeof value === 'string') {
    const index = words.indexOf(value.trim());
    if (index >= 0) return index;
  }
  if (words !== undefined && !Number.isSafeInteger(Number(value))) {
    throw new ShoalError('CONFIG_VALUE', `Expected ${name} to be ${words.join(' or ')}, got ${quoted(value)}`, {
      details: { parameter: name, value, words: [...words] },
    });
  }
  const number = typeof value === 'number' ? value : /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= min && number <= max) {
    if (number % unit === 0) return number;
    const below = number - (number % unit);
    throw new ShoalError(
      'CONFIG_VALUE',
      `Expected ${name} to be a multiple of ${unit}, got ${quoted(value)}; the next ones are ${below} and ${below + unit}`,
      { details: { parameter: name, value, unit } },
    );
  }
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected ${name} to be a whole number${unitOf(name)} from ${min} to ${max}, got ${quoted(value)}`,
    {
      details: { parameter: name, value, min, max },
    },
  );
}

function checkTogether(params: Params): void {
  const { lastConnectMs, statusIntervalMs, ipReserveMs, bootTimeoutMs } = params;
  if (lastConnectMs < REPORTS_BEFORE_SILENCE * statusIntervalMs) {
    throw new ShoalError(
      'CONFIG_VALUE',
      `Expected last_connect_ms to be at least ${REPORTS_BEFORE_SILENCE} times status_interval_ms (${statusIntervalMs}), ` +
        `got ${lastConnectMs}; raise it, or lower status_interval_ms in the same change`,
      { details: { parameter: 'last_connect_ms', value: lastConnectMs } },
    );
  }
  if (ipReserveMs <= bootTimeoutMs) {
    throw new ShoalError(
      'CONFIG_VALUE',
      `Expected ip_reserve_ms to be above boot_timeout_ms (${bootTimeoutMs}), got ${ipReserveMs}: ` +
        'a reservation must not end while its VM may still be booting',
      { details: { parameter: 'ip_reserve_ms', value: ipReserveMs } },
    );
  }
}

/** A parameter's name ends with its unit. Whoever wrote `64MiB` or `5s` learns that it takes no other. */
function unitOf(name: string): string {
  if (name.endsWith('_bytes')) return ' of bytes';
  return name.endsWith('_ms') ? ' of milliseconds' : '';
}

function unknownParameter(name: string): ShoalError {
  const known = Object.keys(PARAMETERS).join(', ');
  return new ShoalError('CONFIG_VALUE', `There is no parameter ${quoted(name)}; there are ${known}`, {
    details: { parameter: name },
  });
}

function quoted(value: number | string): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : `${value} (number)`;
}
