import { readFileSync, writeFileSync } from 'node:fs';
import { ShoalError } from '../errors.ts';
import {
  chartOf,
  DEFAULT_SCENARIO,
  FAULT_NAMES,
  type FaultRates,
  formatDuration,
  NO_FAULTS,
  parseDuration,
  parseShape,
  type Report,
  readTrace,
  runSeeds,
  type Scenario,
  type SeedsSummary,
  shrink,
  simulate,
  swarmScenario,
  unreached,
} from '../sim/mod.ts';
import { type Command, type Flags, OUTPUT_FLAG } from './command.ts';
import { printData, printJson, say } from './output.ts';
import { usage } from './parse.ts';
import { onStopSignal } from './signals.ts';
import { failuresOf, seedsSummaryOf, simulationSummaryOf } from './simulation-summary.ts';

const SEED_MAX = 2 ** 31 - 1;
const SEEDS_MAX = 10_000_000;
const DURATION_S_MAX = 400 * 86_400;
const VMS_MAX = 1_000_000;
const CLIENTS_MAX = 10_000;
const SECONDS_AFTER_A_TRACE = 60;
const FAILURES_MAX = 3;
const LINES_KEPT = 200;

/** What `--failures` and `--scenario` exchange. */
interface FailedRun {
  readonly commit: string;
  readonly scenario: Scenario;
}

export const simulateCommand: Command = {
  name: 'simulate',
  summary:
    'runs the production code on simulated machines: what would a fleet do under this load, and with these faults',
  words: '',
  wordsMax: 0,
  flags: [
    {
      name: 'load',
      value: 'SHAPE',
      about:
        'requests a second: constant:RATE, step:RATE:RATE:AT, burst:RATE:PEAK:EVERY:FOR or sine:FROM:TO:PERIOD, times in seconds (default: constant:20)',
    },
    { name: 'trace', value: 'FILE', about: 'requests from a CSV file instead: timestamp,count or one arrival a line' },
    {
      name: 'from',
      value: 'TIME',
      about: 'begin at this time of the trace, as 1998-06-30 or in seconds (default: its first line)',
    },
    { name: 'scale', value: 'FACTOR', about: 'multiply the counts of the trace (default: 1)' },
    { name: 'duration', short: 'd', value: 'S', about: 'simulated seconds of load (default: 60, or the whole trace)' },
    { name: 'vms', value: 'N', about: 'addresses, and so VMs at the most (default: 50)' },
    { name: 'clients', value: 'N', about: 'clients that share the requests (default: 4)' },
    { name: 'param', value: 'NAME=VALUE', multiple: true, about: 'a parameter, as of `shoal params`; may be repeated' },
    { name: 'boot', value: 'MS', about: 'how long guests boot: 12, 10..20 or lognormal:MEDIAN:SIGMA' },
    { name: 'service', value: 'MS', about: 'how long a request computes, in the same forms' },
    { name: 'ms-per-unit', value: 'MS', about: 'how long a unit of work of the trace computes, instead of --service' },
    {
      name: 'faults',
      value: 'NAME=RATE,...',
      about: `faults a simulated minute: ${FAULT_NAMES.join(', ')} (default: none)`,
    },
    { name: 'deadline', value: 'MS', about: 'of each request (default: 30000)' },
    { name: 'seed', value: 'N', about: 'decides all chance: the same seed gives the same history (default: 1)' },
    { name: 'chaos', about: 'the seed decides load, limits, parameters and faults too' },
    {
      name: 'seeds',
      value: 'N',
      about: 'run N seeds on all cores, from --seed on, with --chaos unless a load is given',
    },
    {
      name: 'failures',
      value: 'FILE',
      about: 'where --seeds writes what failed, made smaller (default: simulation-failures.json)',
    },
    { name: 'scenario', value: 'FILE', about: 'run the scenario of such a file again' },
    { name: 'lines', about: 'print a line for each event' },
    { name: 'chart', value: 'FILE', about: 'write load, VMs and waits over time as SVG' },
    OUTPUT_FLAG,
  ],
  examples: [
    [
      'shoal simulate --load burst:5:200:30:5 --duration 120',
      'two minutes with a burst every half minute, in about a second',
    ],
    [
      'shoal simulate --load sine:1:50:60 --faults vmCrash=6,shoalCrash=1 --seed 7 --chart /tmp/fleet.svg',
      'faults, and a picture',
    ],
    ['shoal simulate --seeds 20', 'twenty scenarios that their seeds decide, each checked after every event'],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const file = flags.text('scenario');
    const seed = flags.whole('seed', { min: 0, max: SEED_MAX }) ?? 1;
    const base = file === undefined ? scenarioOf(flags, seed) : scenarioIn(file);
    const count = flags.whole('seeds', { min: 1, max: SEEDS_MAX });
    const swarm = flags.has('chaos') || (count !== undefined && !hasLoad(flags));
    if (swarm && hasLoad(flags)) throw usage(simulateCommand, 'give either --chaos or a load, not both');
    if (count !== undefined) return runMany(base, seed, count, swarm, json, flags.text('failures'));
    const scenario = swarm ? swarmScenario(base, seed) : base;
    return runOne(scenario, { json, hasLines: flags.has('lines'), chart: flags.text('chart') });
  },
};

interface Shown {
  readonly json: boolean;
  readonly hasLines: boolean;
  readonly chart: string | undefined;
}

async function runOne(scenario: Scenario, { json, hasLines, chart }: Shown): Promise<number> {
  const result = await simulate(scenario, hasLines ? printData : undefined);
  if (!result.ok) {
    const { message, atMs } = result.failure;
    if (json) printJson({ ok: false, failure: result.failure, history: result.history, scenario });
    else say(`After ${(atMs / 1_000).toFixed(3)} simulated seconds: ${message}`);
    return 1;
  }
  const { report } = result;
  if (chart !== undefined) writeChart(chart, report);
  if (json) printJson({ ok: true, ...report, scenario: withoutRows(scenario) });
  else printData(simulationSummaryOf(report, optionsOf(scenario)));
  return 0;
}

async function runMany(
  base: Scenario,
  firstSeed: number,
  count: number,
  swarm: boolean,
  json: boolean,
  failures = 'simulation-failures.json',
): Promise<number> {
  const interruption = new AbortController();
  let stopListening = (): void => undefined;
  stopListening = onStopSignal(() => {
    stopListening();
    interruption.abort();
  });
  let done = 0;
  const summary = await runSeeds({
    base,
    firstSeed,
    count,
    swarm,
    failuresMax: FAILURES_MAX,
    signal: interruption.signal,
    onOutcome: () => {
      done += 1;
      if (process.stderr.isTTY && done % 10 === 0) process.stderr.write(`\r${done} of ${count} seeds`);
    },
  }).finally(stopListening);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const missed = swarm && summary.runs >= SEEDS_FOR_ALL_MOMENTS ? unreached(summary) : [];
  if (json)
    printJson({ ...summary, failures: summary.failures.map(({ seed, failure }) => ({ seed, failure })), missed });
  else printData(seedsSummaryOf(summary, missed));
  if (summary.failures.length > 0) await writeFailures(summary, failures);
  return summary.failures.length > 0 || missed.length > 0 ? 1 : 0;
}

/** Fewer seeds need not reach every moment. */
const SEEDS_FOR_ALL_MOMENTS = 2_000;

/** Writes each failure with a smaller scenario that fails in the same way, its last events and the command that repeats it. */
async function writeFailures({ failures }: SeedsSummary, path: string): Promise<void> {
  const written = [];
  for (const { seed, scenario, failure } of failures) {
    say(`making the failure of seed ${seed} smaller`);
    const smaller = await shrink(scenario, failure);
    const lines: string[] = [];
    await simulate(smaller.scenario, (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
    written.push({ seed, scenario: smaller.scenario, failure: smaller.failure, tries: smaller.tries, lines });
  }
  const commit = commitHere();
  const command = `shoal simulate --scenario ${path} --lines`;
  writeFileSync(path, `${JSON.stringify({ commit, command, ...written[0], others: written.slice(1) }, null, 2)}\n`);
  printData(failuresOf(written, path, command));
}

/** The commit of a checkout; `unknown` in an installed package. */
function commitHere(): string {
  try {
    const head = readFileSync(new URL('../../.git/HEAD', import.meta.url), 'utf8').trim();
    if (!head.startsWith('ref: ')) return head;
    return readFileSync(new URL(`../../.git/${head.slice('ref: '.length)}`, import.meta.url), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function scenarioIn(path: string): Scenario {
  try {
    const { scenario } = JSON.parse(readFileSync(path, 'utf8')) as FailedRun;
    return { ...DEFAULT_SCENARIO, ...scenario };
  } catch (cause) {
    throw new ShoalError('CONFIG_VALUE', `${path} holds no scenario of \`shoal simulate --seeds\`: ${String(cause)}`, {
      cause,
    });
  }
}

function hasLoad(flags: Flags): boolean {
  return flags.text('load') !== undefined || flags.text('trace') !== undefined;
}

function scenarioOf(flags: Flags, seed: number): Scenario {
  const base = DEFAULT_SCENARIO;
  const trace = flags.text('trace');
  const shape = flags.text('load');
  if (trace !== undefined && shape !== undefined)
    throw usage(simulateCommand, 'give either --load or --trace, not both');
  const rows = trace === undefined ? undefined : readTrace(trace, flags.text('from'));
  const seconds = flags.whole('duration', { min: 1, max: DURATION_S_MAX });
  const traceMs = rows === undefined ? undefined : (rows.at(-1)?.atMs ?? 0) + SECONDS_AFTER_A_TRACE * 1_000;
  const perUnit = flags.text('ms-per-unit');
  const boot = flags.text('boot');
  const service = flags.text('service');
  return {
    ...base,
    seed,
    durationMs: seconds === undefined ? (traceMs ?? base.durationMs) : seconds * 1_000,
    load:
      rows === undefined
        ? shape === undefined
          ? base.load
          : parseShape(shape)
        : { kind: 'trace', rows, scale: positive(flags.text('scale'), '--scale', 1) },
    addresses: flags.whole('vms', { min: 1, max: VMS_MAX }) ?? base.addresses,
    clients: flags.whole('clients', { min: 1, max: CLIENTS_MAX }) ?? base.clients,
    params: paramsOf(flags.list('param')),
    deadlineMs: flags.whole('deadline', { min: 1, max: 3_600_000 }) ?? base.deadlineMs,
    guest: {
      ...base.guest,
      ...(boot === undefined ? {} : { boot: parseDuration(boot, '--boot') }),
      ...(service === undefined ? {} : { service: parseDuration(service, '--service') }),
    },
    ...(perUnit === undefined ? {} : { msPerUnit: positive(perUnit, '--ms-per-unit', 1) }),
    faults: faultsOf(flags.text('faults')),
  };
}

function positive(text: string | undefined, flag: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0) return value;
  throw usage(simulateCommand, `expected ${flag} to be a number above 0, got "${text}"`);
}

function paramsOf(list: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    list.map((one) => {
      const [name = '', value = ''] = one.split('=');
      if (!/^\d+$/.test(value))
        throw usage(simulateCommand, `expected --param NAME=VALUE with a whole number, got "${one}"`);
      return [name, Number(value)];
    }),
  );
}

function faultsOf(text: string | undefined): FaultRates {
  if (text === undefined) return NO_FAULTS;
  const entries = text.split(',').map((one) => {
    const [name = '', rate = ''] = one.split('=');
    const known = FAULT_NAMES.find((fault) => fault === name);
    if (known === undefined || !/^\d+(?:\.\d+)?$/.test(rate)) {
      throw usage(simulateCommand, `expected --faults NAME=RATE with one of ${FAULT_NAMES.join(', ')}, got "${one}"`);
    }
    return [known, Number(rate)] as const;
  });
  return { ...NO_FAULTS, ...Object.fromEntries(entries) };
}

function writeChart(path: string, report: Report): void {
  try {
    writeFileSync(path, chartOf(report));
  } catch (cause) {
    throw new ShoalError('OUTPUT_UNWRITABLE', `The chart cannot be written to ${path}: ${String(cause)}`, { cause });
  }
}

/** What the run depends on, for the summary. */
function optionsOf({ seed, load, durationMs, addresses, params, guest, faults, network }: Scenario): readonly string[] {
  const asText = Object.entries({ ...params, ...faults }).filter(([, value]) => value > 0);
  const shape = load.kind === 'trace' ? `a trace of ${load.rows.length} lines` : Object.values(load).join(':');
  return [
    `seed ${seed}, ${durationMs / 1_000} s, ${shape}, ${addresses} addresses`,
    `boot ${formatDuration(guest.boot)} ms, service ${formatDuration(guest.service)} ms${guest.idempotent ? '' : ', not idempotent'}`,
    ...(asText.length === 0 ? [] : [asText.map(([name, value]) => `${name}=${value}`).join(' ')]),
    ...(network.lost + network.doubled + network.late > 0
      ? [`NATS loses ${network.lost}, doubles ${network.doubled}, delays ${network.late} of the messages`]
      : []),
  ];
}

function withoutRows({ load, ...others }: Scenario): object {
  return {
    ...others,
    load: load.kind === 'trace' ? { kind: 'trace', scale: load.scale, rows: load.rows.length } : load,
  };
}
