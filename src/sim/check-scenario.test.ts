import { expect, test } from 'vitest';
import { VMS_MAX } from '../fleet/mod.ts';
import { checkScenario } from './check-scenario.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { swarmScenario } from './swarm.ts';
import { parseTrace } from './trace.ts';

test('what a run can have is taken as it is, from JSON too', () => {
  const trace = { kind: 'trace', rows: parseTrace('1,2\n2,3\n', 't'), scale: 2 } as const;
  const scenarios = [DEFAULT_SCENARIO, { ...DEFAULT_SCENARIO, load: trace, msPerUnit: 3 }];
  for (let seed = 0; seed < 100; seed++) scenarios.push(swarmScenario(DEFAULT_SCENARIO, seed));
  for (const scenario of scenarios) expect(checkScenario(JSON.parse(JSON.stringify(scenario)))).toEqual(scenario);
});

test('what is missing has its default', () => {
  expect(checkScenario({ seed: 3 })).toEqual({ ...DEFAULT_SCENARIO, seed: 3 });
});

test.each([
  ['no object', [], 'Expected scenario to be an object, got []'],
  ['an unknown field', { sead: 1 }, /^Expected scenario to be an object of seed, .*, got \{"sead":1\}$/],
  [
    'a trace that goes back',
    {
      load: {
        kind: 'trace',
        rows: [
          { atMs: 5, count: 1, bytes: 1 },
          { atMs: 0, count: 1, bytes: 1 },
        ],
        scale: 1,
      },
    },
    'Expected scenario.load.rows[1].atMs to be not before that of the last row, got 0',
  ],
  [
    'a trace with more requests than a load may have',
    { load: { kind: 'trace', rows: [{ atMs: 0, count: 1_000, bytes: 1 }], scale: 1_001 } },
    'Expected scenario.load.rows[0].count to be at most 1000000 requests a second, times the scale, got 1000',
  ],
  [
    'a duration that falls',
    { natsLatency: { kind: 'uniform', fromMs: 5, toMs: 1 } },
    'Expected scenario.natsLatency.fromMs to be at most its toMs, 1, got 5',
  ],
  [
    'a duration longer than flags take',
    { natsLatency: { kind: 'constant', ms: 3_600_001 } },
    'Expected scenario.natsLatency.ms to be a number from 0 to 3600000, got 3600001',
  ],
  [
    'hosts that are lost between two beats',
    { beats: { beatMs: 1_000, lostMs: 1_000 } },
    'Expected scenario.beats.lostMs to be at least two beats, 2000, got 1000',
  ],
  [
    'a text for a number',
    { durationMs: '5' },
    'Expected scenario.durationMs to be a number from 1 to 34560000000, got "5"',
  ],
  ['a share above 1', { repeats: 2 }, 'Expected scenario.repeats to be a number from 0 to 1, got 2'],
  ['half an address', { addresses: 1.5 }, 'Expected scenario.addresses to be a whole number'],
  [
    'more addresses than a pool may have',
    { addresses: VMS_MAX + 1 },
    `Expected scenario.addresses to be a whole number from 1 to ${VMS_MAX}, got ${VMS_MAX + 1}`,
  ],
  [
    'an unknown load',
    { load: { kind: 'flood' } },
    'Expected scenario.load.kind to be constant, step, burst, sine, trace, got "flood"',
  ],
  ['a load without its rate', { load: { kind: 'constant' } }, 'Expected scenario.load.perSecond to be a number'],
  ['a load of Object.prototype', { load: { kind: 'toString' } }, 'Expected scenario.load.kind'],
  ['a field of Object.prototype', JSON.parse('{"constructor": 1}'), 'Expected scenario to be an object of seed, '],
  ['a trace without rows', { load: { kind: 'trace', rows: [], scale: 1 } }, 'Expected scenario.load.rows'],
  ['a part of the guest', { guest: { boot: { kind: 'constant', ms: 1 } } }, 'Expected scenario.guest.service'],
  [
    'an unknown fault',
    { faults: { ...DEFAULT_SCENARIO.faults, flood: 1 } },
    'Expected scenario.faults to be an object of vmCrash, ',
  ],
  ['an unknown parameter', { params: { speed: 1 } }, 'There is no parameter "speed"'],
  ['a parameter out of its range', { params: { free_count: 0 } }, 'Expected free_count to be'],
])('%s is refused', (_, scenario, message) => {
  expect(() => checkScenario(scenario)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_VALUE',
      message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    }),
  );
});
