import { makeParams, VMS_MAX } from '../fleet/mod.ts';
import {
  DEFAULT_SCENARIO,
  FAULT_NAMES,
  type FaultRates,
  NO_FAULTS,
  parseDuration,
  parseShape,
  readTrace,
  type Scenario,
  VM_BYTES,
} from '../sim/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';
import { settings } from './settings.ts';
import { readScenario } from './simulation-failures.ts';

const SEED_MAX = 2 ** 31 - 1;
const DURATION_S_MAX = 400 * 86_400;
/** Room for the reserve of the host. */
const SPARE_VMS = 64;
const CLIENTS_MAX = 10_000;
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
  'vms',
  'clients',
  'param',
  'boot',
  'service',
  'ms-per-unit',
  'faults',
  'messages',
  'deadline',
];

/**
 * The scenario that flags describe. One of a file stays as it is, but for its seed.
 * @throws USAGE, CONFIG_VALUE
 */
export function scenarioOf(command: Command, flags: Flags): Scenario {
  const file = flags.text('scenario');
  const seed = flags.whole('seed', { min: 0, max: SEED_MAX });
  if (file === undefined) return { ...describedBy(command, flags), seed: seed ?? DEFAULT_SCENARIO.seed };
  const other = OF_A_SCENARIO.find((name) => flags.text(name) !== undefined || flags.list(name).length > 0);
  if (other !== undefined) throw usage(command, `--${other} is a part of the scenario; edit the file instead`);
  const scenario = readScenario(file);
  return seed === undefined ? scenario : { ...scenario, seed };
}

function describedBy(command: Command, flags: Flags): Scenario {
  const base = DEFAULT_SCENARIO;
  const trace = flags.text('trace');
  const shape = flags.text('load');
  if (trace !== undefined && shape !== undefined) throw usage(command, 'give either --load or --trace, not both');
  const ofTrace = ['from', 'scale', 'ms-per-unit'].find((name) => flags.text(name) !== undefined);
  if (trace === undefined && ofTrace !== undefined) throw usage(command, `--${ofTrace} belongs to --trace`);
  const rows = trace === undefined ? undefined : readTrace(trace, flags.text('from'));
  const seconds = flags.whole('duration', { min: 1, max: DURATION_S_MAX });
  const traceMs = rows === undefined ? undefined : (rows.at(-1)?.atMs ?? 0) + SECONDS_AFTER_A_TRACE * 1_000;
  const msPerUnit = positive(command, flags, 'ms-per-unit');
  if (msPerUnit !== undefined && rows?.every(({ units }) => units === undefined)) {
    const remedy = 'a last column with the units of each arrival, and none of counts; or give --service';
    throw usage(command, `--ms-per-unit needs a trace with units of work: ${remedy}`);
  }
  const boot = flags.text('boot');
  const service = flags.text('service');
  const addresses = flags.whole('vms', { min: 1, max: VMS_MAX }) ?? base.addresses;
  return {
    ...base,
    durationMs: seconds === undefined ? (traceMs ?? base.durationMs) : seconds * 1_000,
    load:
      rows === undefined
        ? shape === undefined
          ? base.load
          : parseShape(shape)
        : { kind: 'trace', rows, scale: positive(command, flags, 'scale') ?? 1 },
    addresses,
    memoryBytes: Math.max(base.memoryBytes, (addresses + SPARE_VMS) * VM_BYTES),
    clients: flags.whole('clients', { min: 1, max: CLIENTS_MAX }) ?? base.clients,
    params: paramsOf(command, flags.list('param')),
    deadlineMs: flags.whole('deadline', { min: 1, max: 3_600_000 }) ?? base.deadlineMs,
    guest: {
      ...base.guest,
      ...(boot === undefined ? {} : { boot: parseDuration(boot, '--boot') }),
      ...(service === undefined ? {} : { service: parseDuration(service, '--service') }),
    },
    ...(msPerUnit === undefined ? {} : { msPerUnit }),
    faults: faultsOf(command, flags.text('faults')),
    network: { ...base.network, ...messagesOf(command, flags.text('messages')), lateMs: LATE_MS },
  };
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
  makeParams(values);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
}

function messagesOf(command: Command, text: string | undefined): Partial<Scenario['network']> {
  if (text === undefined) return {};
  const entries = text.split(',').map((one) => {
    const [name = '', share = ''] = one.split('=');
    const known = MESSAGE_FAULTS.find((fault) => fault === name);
    if (known === undefined || !/^(?:0?\.\d+|[01](?:\.0+)?)$/.test(share)) {
      const expected = `NAME=SHARE with one of ${MESSAGE_FAULTS.join(', ')}, and a share from 0 to 1`;
      throw usage(command, `expected --messages ${expected}, got "${one}"`);
    }
    return [known, Number(share)] as const;
  });
  return Object.fromEntries(entries);
}

function faultsOf(command: Command, text: string | undefined): FaultRates {
  if (text === undefined) return NO_FAULTS;
  const entries = text.split(',').map((one) => {
    const [name = '', rate = ''] = one.split('=');
    const known = FAULT_NAMES.find((fault) => fault === name);
    if (known === undefined || !/^\d+(?:\.\d+)?$/.test(rate)) {
      throw usage(command, `expected --faults NAME=RATE with one of ${FAULT_NAMES.join(', ')}, got "${one}"`);
    }
    return [known, Number(rate)] as const;
  });
  return { ...NO_FAULTS, ...Object.fromEntries(entries) };
}
