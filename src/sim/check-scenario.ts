import { ShoalError } from '../errors.ts';
import { VMS_MAX } from '../fleet/mod.ts';
import { isRecord } from '../is-record.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import type { Duration } from './duration.ts';
import { checkedParams } from './image-memory.ts';
import {
  BEAT_MS_MAX,
  BEAT_MS_MIN,
  DURATION_MS_MAX,
  FAULTS_A_MINUTE_MAX,
  RATE_MAX,
  RUN_MS_MAX,
  SEED_MAX,
  SIGMA_MAX,
} from './limits.ts';
import { FAULT_NAMES, type Scenario } from './scenario.ts';
import { tooDense } from './trace.ts';

type Check = (value: unknown, place: string) => void;
type Fields = Readonly<Record<string, Check>>;

/**
 * Reads the scenario of a file. A field that is missing has its default; one that no scenario has is refused.
 * @throws CONFIG_VALUE naming the field, its value and what it may be
 */
export function checkScenario(value: unknown): Scenario {
  if (!isRecord(value)) throw refused('scenario', 'an object', value);
  fields(FIELDS)({ ...DEFAULT_SCENARIO, ...value }, 'scenario');
  // Each field that is there was checked.
  return { ...DEFAULT_SCENARIO, ...(value as Partial<Scenario>) };
}

function number(min: number, max: number, isWhole = false): Check {
  return (value, place) => {
    const isFine = typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value));
    if (!isFine) throw refused(place, `a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`, value);
  };
}

const COUNT_MAX = 1e9;
const ms = number(0, RUN_MS_MAX);
const positiveMs = number(1, RUN_MS_MAX);
const count = number(0, COUNT_MAX);
const share = number(0, 1);

const boolean: Check = (value, place) => {
  if (typeof value !== 'boolean') throw refused(place, 'true or false', value);
};

/** An object with these fields and no others. */
function fields(checks: Fields): Check {
  return (value, place) => {
    if (!isRecord(value)) throw refused(place, 'an object', value);
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(checks, name));
    if (unknown !== undefined) {
      throw refused(place, `an object of ${Object.keys(checks).join(', ')}`, { [unknown]: value[unknown] });
    }
    for (const [name, check] of Object.entries(checks)) check(value[name], `${place}.${name}`);
  };
}

/** An object whose `kind` says which fields it has. @param whole checks what its fields are together */
function oneKind(kinds: Readonly<Record<string, Fields>>, whole: Check): Check {
  return (value, place) => {
    const kind = isRecord(value) ? value['kind'] : undefined;
    const found = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (found === undefined) throw refused(`${place}.kind`, Object.keys(kinds).join(', '), kind);
    fields({ ...found, kind: () => undefined })(value, place);
    whole(value, place);
  };
}

function optional(check: Check): Check {
  return (value, place) => {
    if (value !== undefined) check(value, place);
  };
}

const rows: Check = (value, place) => {
  if (!Array.isArray(value) || value.length === 0) throw refused(place, 'a list of trace rows', value);
  const row = fields({ atMs: ms, count, bytes: count, units: optional(count) });
  for (const [index, one] of value.entries()) row(one, `${place}[${index}]`);
};

/** The rows of a trace are in order, and their requests no more than a load may have. */
const traceInOrder: Check = (value, place) => {
  // Its fields were checked.
  const load = value as Scenario['load'];
  if (load.kind !== 'trace') return;
  const early = load.rows.find(({ atMs }, index) => atMs < (load.rows[index - 1]?.atMs ?? 0));
  if (early !== undefined) {
    throw refused(`${place}.rows[${load.rows.indexOf(early)}].atMs`, 'not before that of the last row', early.atMs);
  }
  const dense = tooDense(load.rows, load.scale);
  if (dense === undefined) return;
  const expected = `at most ${RATE_MAX} requests a second, times the scale`;
  throw refused(`${place}.rows[${load.rows.indexOf(dense)}].count`, expected, dense.count);
};

const rising: Check = (value, place) => {
  // Its fields were checked.
  const duration = value as Duration;
  if (duration.kind !== 'uniform' || duration.fromMs <= duration.toMs) return;
  throw refused(`${place}.fromMs`, `at most its toMs, ${duration.toMs}`, duration.fromMs);
};

const beats: Check = (value, place) => {
  fields({ beatMs: number(BEAT_MS_MIN, BEAT_MS_MAX), lostMs: positiveMs })(value, place);
  // Its fields were checked.
  const { beatMs, lostMs } = value as Scenario['beats'];
  if (lostMs < 2 * beatMs) throw refused(`${place}.lostMs`, `at least two beats, ${2 * beatMs}`, lostMs);
};

const params: Check = (value, place) => {
  if (!isRecord(value)) throw refused(place, 'an object', value);
  for (const [name, one] of Object.entries(value)) number(0, Number.MAX_SAFE_INTEGER, true)(one, `${place}.${name}`);
  // Each value is a number.
  checkedParams(value as Readonly<Record<string, number>>);
};

const someMs = number(0, DURATION_MS_MAX);
const duration = oneKind(
  {
    constant: { ms: someMs },
    uniform: { fromMs: someMs, toMs: someMs },
    lognormal: { medianMs: someMs, sigma: number(0, SIGMA_MAX) },
  },
  rising,
);

const rate = number(0, RATE_MAX);

/** As many as take notice of each other. */
export const HOSTS_MAX = 1_000;

const FIELDS = {
  seed: number(0, SEED_MAX, true),
  durationMs: positiveMs,
  load: oneKind(
    {
      constant: { perSecond: rate },
      step: { perSecond: rate, toPerSecond: rate, atMs: ms },
      burst: { perSecond: rate, peakPerSecond: rate, everyMs: positiveMs, forMs: positiveMs },
      sine: { fromPerSecond: rate, toPerSecond: rate, periodMs: positiveMs },
      trace: { rows, scale: number(0, COUNT_MAX) },
    },
    traceInOrder,
  ),
  hosts: number(1, HOSTS_MAX, true),
  beats,
  addresses: number(1, VMS_MAX, true),
  memoryBytes: number(0, 2 ** 50, true),
  params,
  deadlineMs: number(1, 3_600_000),
  clients: number(1, 10_000, true),
  repeats: share,
  reusedIds: share,
  deadlyRequests: share,
  guest: fields({
    boot: duration,
    service: duration,
    idempotent: boolean,
    brokenBoots: share,
    hostileRelays: optional(share),
    payload: optional((value, place) => {
      if (value !== 'text' && value !== 'bytes') throw refused(place, 'text or bytes', value);
    }),
  }),
  msPerUnit: optional(ms),
  control: optional((value, place) => {
    if (value !== 'direct' && value !== 'relay') throw refused(place, 'direct or relay', value);
  }),
  host: fields({ qemuStart: duration, monitor: duration, console: duration, link: duration, failedStarts: share }),
  disk: fields({ write: duration, failedWrites: share }),
  natsLatency: duration,
  network: fields({ lost: share, doubled: share, late: share, lateMs: duration }),
  faults: fields(Object.fromEntries(FAULT_NAMES.map((name) => [name, number(0, FAULTS_A_MINUTE_MAX)]))),
} satisfies Record<keyof Scenario, Check>;

function refused(place: string, expected: string, value: unknown): ShoalError {
  const got = JSON.stringify(value) ?? 'nothing';
  return new ShoalError('CONFIG_VALUE', `Expected ${place} to be ${expected}, got ${got.slice(0, 80)}`);
}
