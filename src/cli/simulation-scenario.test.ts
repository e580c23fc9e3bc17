import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { codeOf } from '../errors.ts';
import { checkScenario, scenarioOfSeed } from '../sim/mod.ts';
import { parse } from './parse.ts';
import { simulateCommand } from './simulate.ts';
import { planOf } from './simulation-scenario.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-plan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const trace = join(folder, 'trace.csv');
writeFileSync(trace, 'time,bytes,units\n0,10,100\n1,10,100\n2.5,10,300\n');
const flood = join(folder, 'flood.csv');
writeFileSync(flood, 'time,count\n0,1000000\n0.5,1000001\n');
const scenario = join(folder, 'scenario.json');
writeFileSync(scenario, '{"scenario": {"addresses": 5}}');

/** Each flag with a value that neither a default nor the seed chooses. */
const VALUES: Readonly<Record<string, string>> = {
  load: 'constant:13',
  trace,
  from: '1',
  scale: '3',
  duration: '17',
  hosts: '7',
  beat: '1234',
  vms: '37',
  control: 'relay',
  clients: '9',
  param: 'min_vm_count=11',
  boot: '21',
  service: '31',
  'ms-per-unit': '2',
  faults: 'vmCrash=41',
  messages: 'lost=0.3',
  deadline: '12345',
  seed: '77',
  seeds: '5',
  failures: '/tmp/failed.json',
  scenario,
  chart: '/tmp/chart.svg',
  output: 'json',
  explain: 'vm 3',
};

/** Flags that another one needs. */
const NEEDS: Readonly<Record<string, string>> = {
  from: 'trace',
  scale: 'trace',
  'ms-per-unit': 'trace',
  failures: 'seeds',
  why: 'events',
};

type Effect = { readonly effect: string } | { readonly refused: string };

/** All that a run would depend on, or why there is none. */
function effectOf(names: readonly string[]): Effect {
  const args = names.flatMap((name) => [`--${name}`, ...(VALUES[name] === undefined ? [] : [VALUES[name]])]);
  try {
    const { flags } = parse(simulateCommand, args);
    const { task, ...shown } = planOf(simulateCommand, flags);
    return { effect: JSON.stringify([scenarioOfSeed(task), task.swarm, shown, flags.text('output')]) };
  } catch (error) {
    if (codeOf(error) !== 'USAGE' || !(error instanceof Error)) throw error;
    return { refused: error.message };
  }
}

const names = simulateCommand.flags.map(({ name }) => name);
const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other] as const));

describe('each flag of shoal simulate, beside each other one', () => {
  const refused: string[] = [];

  test.each(pairs)('--%s and --%s: both have their effect, or the two are refused', (one, other) => {
    const all = [
      ...new Set([one, other].flatMap((name) => [...(NEEDS[name] === undefined ? [] : [NEEDS[name]]), name])),
    ];
    const whole = effectOf(all);
    if ('refused' in whole) {
      refused.push(`${one} ${other}`);
      expect(whole.refused).toMatch(/--[a-z]/);
      return;
    }
    // `--seeds` without a load means `--chaos`.
    const meant = all.includes('seeds') ? all.filter((name) => name !== 'chaos') : all;
    const idle = meant.filter((name) => {
      const without = effectOf(all.filter((kept) => kept !== name));
      return 'effect' in without && without.effect === whole.effect;
    });
    expect(idle).toEqual([]);
  });

  test('those are refused of which one would have none', () => {
    const scenarioParts =
      'load trace from scale duration hosts beat vms control clients param boot service ms-per-unit faults messages deadline';
    const expected = [
      ...['trace', 'from', 'scale', 'ms-per-unit', 'chaos', 'scenario'].map((other) => `load ${other}`),
      ...scenarioParts.split(' ').map((part) => `${part} scenario`),
      ...['trace', 'from', 'scale', 'ms-per-unit'].map((part) => `${part} chaos`),
      'service ms-per-unit',
      'chaos scenario',
      ...['seeds', 'failures'].flatMap((one) =>
        ['lines', 'chart', 'events', 'why', 'explain'].map((other) => `${one} ${other}`),
      ),
    ];
    expect([...refused].sort()).toEqual([...new Set(expected)].sort());
  });
});

test('what is given of parameters, faults and messages stands by its name, and the seed decides the others', () => {
  const planned = (...args: string[]) => {
    const { task } = planOf(simulateCommand, parse(simulateCommand, ['--chaos', '--seed', '7', ...args]).flags);
    return scenarioOfSeed(task);
  };
  const alone = planned();
  const given = planned('--param', 'min_vm_count=9', '--faults', 'vmCrash=41,routerCrash=0', '--messages', 'late=0.5');
  expect(given).toEqual({
    ...alone,
    params: { ...alone.params, min_vm_count: 9 },
    faults: { ...alone.faults, vmCrash: 41, routerCrash: 0 },
    network: { ...alone.network, late: 0.5 },
  });
});

test.each([
  [
    ['--seed', '2147483640', '--seeds', '9'],
    'expected --seed and --seeds to end at seed 2147483647, got 9 from 2147483640 on',
  ],
  [
    ['--trace', flood],
    'expected --trace to have up to 1000000 requests a second, times --scale 1; it has 1000001 requests 0.5 s',
  ],
  [['--trace', flood, '--scale', '1.5'], 'times --scale 1.5; it has 1000000 requests 0 s after its begin'],
])('%j is refused', (args, why) => {
  expect(() => planOf(simulateCommand, parse(simulateCommand, args).flags)).toThrow(why);
});

test('seeds may go up to the last one', () => {
  const { flags } = parse(simulateCommand, ['--seed', '2147483640', '--seeds', '8']);
  expect(planOf(simulateCommand, flags)).toMatchObject({ count: 8, task: { seed: 2_147_483_640 } });
});

test('a switch is not forgotten: each flag has a value here or takes none', () => {
  const without = simulateCommand.flags.filter(({ name, value }) => value !== undefined && !(name in VALUES));
  expect(without.map(({ name }) => name)).toEqual([]);
});

test.each([
  ['messages', 'lost=0.1=9', 'expected --messages NAME=SHARE with one of'],
  ['messages', 'lost=0.1,lost=0.2', 'expected --messages to name lost once, got "lost=0.1,lost=0.2"'],
  ['messages', 'lost=', 'got "lost="'],
  ['messages', 'lost=1.1', 'a share from 0 to 1, got "lost=1.1"'],
  ['faults', 'vmCrash=1=2', 'expected --faults NAME=RATE with one of'],
  ['faults', 'vmCrash=1,vmCrash=1', 'expected --faults to name vmCrash once'],
  ['faults', 'toString=1', 'got "toString=1"'],
])('--%s %s is refused', (flag, text, why) => {
  const { flags } = parse(simulateCommand, ['--chaos', `--${flag}`, text]);
  expect(() => planOf(simulateCommand, flags)).toThrow(why);
});

test.each([
  ['faults', 'vmCrash=10000'],
  ['faults', 'vmCrash=10001'],
  ['faults', `vmCrash=${'9'.repeat(400)}`],
  ['load', 'burst:1:2:0.001:0.001'],
  ['load', 'burst:1:2:0.0001:0.0001'],
  ['load', 'sine:1:2:34560000'],
  ['load', 'sine:1:2:34560001'],
  ['load', `step:1:2:${'9'.repeat(400)}`],
  ['boot', '3600000'],
  ['duration', '34560000'],
  ['beat', '9'],
  ['beat', '10'],
])('--%s %s is refused, or a scenario that a file may have, so that what fails can be repeated', (name, value) => {
  const plan = (): unknown => {
    const { flags } = parse(simulateCommand, [`--${name}`, value]);
    return JSON.parse(JSON.stringify(scenarioOfSeed(planOf(simulateCommand, flags).task)));
  };
  let planned: unknown;
  try {
    planned = plan();
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^(?:USAGE|CONFIG_VALUE)$/) });
    return;
  }
  expect(() => checkScenario(planned)).not.toThrow();
});
