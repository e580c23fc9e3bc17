import { makeParams, paramsTable, VMS_MAX } from '../fleet/mod.ts';
import {
  BEAT_MS_MAX,
  BEAT_MS_MIN,
  checkedParams,
  DEFAULT_SCENARIO,
  FAULT_NAMES,
  FAULTS_A_MINUTE_MAX,
  type Given,
  HOSTS_MAX,
  hasUnits,
  parseDuration,
  parseShape,
  RATE_MAX,
  RUN_MS_MAX,
  readTrace,
  type Scenario,
  SEED_MAX,
  type SeedTask,
  tooDense,
  vmBytesWith,
  withGiven,
} from '../sim/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';
import { settings } from './settings.ts';
import { type WantedDecisions, wantedDecisions } from './simulation-decisions.ts';
import { readScenario } from './simulation-failures.ts';

const DURATION_S_MAX = RUN_MS_MAX / 1_000;
/** Room for the reserve of the host. */
const SPARE_VMS = 64;
const CLIENTS_MAX = 10_000;
/** Silence for so many beats, and a host counts as lost: as in production. */
const BEATS_LOST = 3;
const FACTOR_MAX = 1_000_000;
/** After the last line of a trace, what it began comes to its end. */
const SECONDS_AFTER_A_TRACE = 60;
/** How much later a late message comes. */
const LATE_MS = { kind: 'uniform', fromMs: 1, toMs: 800 } as const;
const MESSAGE_FAULTS = ['lost', 'doubled', 'late'] as const;
/** Flags that describe a scenario. */
const OF_A_SCENARIO = [
  'load',
  'trace',
  'from',
  'scale',
  'duration',
  'hosts',
  'beat',
  'vms',
  'clients',
  'param',
  'control',
  'boot',
  'service',
  'ms-per-unit',
  'faults',
  'messages',
  'deadline',
];

/** What the flags of `shoal simulate` ask for. */
export interface Plan {
  /** With `swarm` the seed decides all that is not `given`. */
  readonly task: Required<SeedTask>;
  /** So many seeds; undefined: one run that is shown. */
  readonly count: number | undefined;
  readonly hasLines: boolean;
  readonly chart: string | undefined;
  readonly decisions: WantedDecisions;
  readonly failures: string;
}

const SEEDS_MAX = 10_000_000;

/**
 * Each flag is applied or refused. What is given stands, also where the seed decides the rest.
 * @throws USAGE, CONFIG_VALUE
 */
export function planOf(command: Command, flags: Flags): Plan {
  const count = flags.whole('seeds', { min: 1, max: SEEDS_MAX });
  const [hasLines, chart, failures] = [flags.has('lines'), flags.text('chart'), flags.text('failures')];
  const decisions = wantedDecisions(command, flags);
  const showsOne = hasLines || chart !== undefined || decisions.events !== undefined || decisions.subject !== undefined;
  if (count !== undefined && showsOne) {
    throw usage(
      command,
      '--lines, --chart, --events and --explain show one run; repeat one of the seeds with --chaos --seed N',
    );
  }
  if (count === undefined && failures !== undefined) throw usage(command, '--failures belongs to --seeds');
  const hasLoad = ['scenario', 'load', 'trace'].some((name) => flags.text(name) !== undefined);
  if (flags.has('chaos') && hasLoad) throw usage(command, 'give either --chaos or a load or scenario, not both');
  const swarm = flags.has('chaos') || (count !== undefined && !hasLoad);
  const seed = flags.whole('seed', { min: 0, max: SEED_MAX });
  const task = taskOf(command, flags, swarm);
  const first = seed ?? task.base.seed;
  if (count !== undefined && first + count - 1 > SEED_MAX) {
    throw usage(command, `expected --seed and --seeds to end at seed ${SEED_MAX}, got ${count} from ${first} on`);
  }
  return {
    task: { ...task, seed: first },
    count,
    hasLines,
    chart,
    decisions,
    failures: failures ?? 'simulation-failures.json',
  };
}

function taskOf(command: Command, flags: Flags, swarm: boolean): Omit<Required<SeedTask>, 'seed'> {
  const file = flags.text('scenario');
  if (file === undefined) {
    const given = givenBy(command, flags);
    const addresses = given.addresses ?? DEFAULT_SCENARIO.addresses;
    const vmBytes = vmBytesWith(makeParams(given.params));
    const memoryBytes = Math.max(DEFAULT_SCENARIO.memoryBytes, (addresses + SPARE_VMS) * vmBytes);
    return { base: withGiven({ ...DEFAULT_SCENARIO, memoryBytes }, given), swarm, given };
  }
  // A scenario of a file stays as it is, but for its seed.
  const other = OF_A_SCENARIO.find((name) => flags.text(name) !== undefined || flags.list(name).length > 0);
  if (other !== undefined) throw usage(command, `--${other} is a part of the scenario; edit the file instead`);
  return { base: readScenario(file), swarm, given: {} };
}

function givenBy(command: Command, flags: Flags): Given {
  const shape = flags.text('load');
  const traced = traceBy(command, flags);
  const boot = flags.text('boot');
  const service = flags.text('service');
  const durationMs = flags.whole('duration', { min: 1, max: DURATION_S_MAX });
  const params = paramsOf(command, flags.list('param'));
  const beat = flags.whole('beat', { min: BEAT_MS_MIN, max: BEAT_MS_MAX });
  return defined({
    load: shape === undefined ? traced?.load : parseShape(shape),
    durationMs: durationMs === undefined ? traced?.durationMs : durationMs * 1_000,
    msPerUnit: traced?.msPerUnit,
    hosts: flags.whole('hosts', { min: 1, max: HOSTS_MAX }),
    beats: beat === undefined ? undefined : { beatMs: beat, lostMs: BEATS_LOST * beat },
    addresses: flags.whole('vms', { min: 1, max: VMS_MAX }),
    clients: flags.whole('clients', { min: 1, max: CLIENTS_MAX }),
    deadlineMs: flags.whole('deadline', { min: 1, max: 3_600_000 }),
    params: Object.keys(params).length === 0 ? undefined : params,
    control: flags.oneOf('control', ['direct', 'relay']),
    boot: boot === undefined ? undefined : parseDuration(boot, '--boot'),
    service: service === undefined ? undefined : parseDuration(service, '--service'),
    faults: faultsOf(command, flags.text('faults')),
    network: messagesOf(command, flags.text('messages')),
  });
}

interface Traced {
  readonly load: Scenario['load'];
  readonly durationMs: number;
  readonly msPerUnit: number | undefined;
}

function traceBy(command: Command, flags: Flags): Traced | undefined {
  const path = flags.text('trace');
  if (path === undefined) {
    const other = ['from', 'scale', 'ms-per-unit'].find((name) => flags.text(name) !== undefined);
    if (other !== undefined) throw usage(command, `--${other} belongs to --trace`);
    return undefined;
  }
  if (flags.text('load') !== undefined) throw usage(command, 'give either --load or --trace, not both');
  const msPerUnit = positive(command, flags, 'ms-per-unit');
  if (msPerUnit !== undefined && flags.text('service') !== undefined) {
    throw usage(command, 'give either --service or --ms-per-unit, not both: each says how long a request computes');
  }
  const scale = positive(command, flags, 'scale') ?? 1;
  const rows = readTrace(path, flags.text('from'));
  const dense = tooDense(rows, scale);
  if (dense !== undefined) {
    const where = `${dense.count} requests ${dense.atMs / 1_000} s after its begin`;
    throw usage(
      command,
      `expected --trace to have up to ${RATE_MAX} requests a second, times --scale ${scale}; it has ${where}`,
    );
  }
  if (msPerUnit !== undefined && !hasUnits(rows)) {
    const remedy = 'a last column with the units of each arrival, and none of counts; or give --service';
    throw usage(command, `--ms-per-unit needs a trace with units of work: ${remedy}`);
  }
  const durationMs = (rows.at(-1)?.atMs ?? 0) + SECONDS_AFTER_A_TRACE * 1_000;
  return { load: { kind: 'trace', rows, scale }, durationMs, msPerUnit };
}

/** Without the fields that are undefined: they would hide what is decided elsewhere. */
function defined(fields: { readonly [Name in keyof Given]: Given[Name] | undefined }): Given {
  // Of each field, what is left is its value.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given;
}

function positive(command: Command, flags: Flags, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= FACTOR_MAX) return value;
  throw usage(
    command,
    `expected --${name} to be a number above 0 and up to ${FACTOR_MAX}, got ${JSON.stringify(text)}`,
  );
}

/** @throws CONFIG_VALUE for a name or value that no parameter has, as `shoal params` does */
function paramsOf(command: Command, texts: readonly string[]): Readonly<Record<string, number>> {
  const values = settings(command, texts);
  const table = paramsTable(checkedParams(values));
  return Object.fromEntries(Object.keys(values).map((name) => [name, table[name] ?? Number.NaN]));
}

function messagesOf(command: Command, text: string | undefined): Given['network'] {
  const shares = listOf(command, text, {
    flag: 'messages',
    unit: 'SHARE',
    names: MESSAGE_FAULTS,
    pattern: /^(?:0?\.\d+|[01](?:\.0+)?)$/,
    max: 1,
    range: ', and a share from 0 to 1',
  });
  return shares === undefined ? undefined : { ...shares, lateMs: LATE_MS };
}

function faultsOf(command: Command, text: string | undefined): Given['faults'] {
  return listOf(command, text, {
    flag: 'faults',
    unit: 'RATE',
    names: FAULT_NAMES,
    pattern: /^\d+(?:\.\d+)?$/,
    max: FAULTS_A_MINUTE_MAX,
    range: `, and a rate from 0 to ${FAULTS_A_MINUTE_MAX}`,
  });
}

interface ListRules<Name extends string> {
  readonly flag: string;
  /** What the help calls a value. */
  readonly unit: string;
  readonly names: readonly Name[];
  readonly pattern: RegExp;
  readonly max: number;
  readonly range: string;
}

/** Reads `NAME=VALUE,...`, each name once at most. */
function listOf<Name extends string>(
  command: Command,
  text: string | undefined,
  { flag, unit, names, pattern, max, range }: ListRules<Name>,
): { readonly [N in Name]?: number } | undefined {
  if (text === undefined) return undefined;
  const values = new Map<Name, number>();
  for (const one of text.split(',')) {
    const [name, value = '', ...rest] = one.split('=');
    const known = names.find((each) => each === name);
    if (known === undefined || rest.length > 0 || !pattern.test(value) || Number(value) > max) {
      const expected = `${unit} with one of ${names.join(', ')}${range}`;
      throw usage(command, `expected --${flag} NAME=${expected}, got "${one}"`);
    }
    if (values.has(known)) throw usage(command, `expected --${flag} to name ${known} once, got "${text}"`);
    values.set(known, Number(value));
  }
  // Its keys are names.
  return Object.fromEntries(values) as { readonly [N in Name]?: number };
}
