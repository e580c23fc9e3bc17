import { expect, test } from 'vitest';
import { DEFAULT_SCENARIO, type Scenario, swarmScenario } from '../sim/mod.ts';
import { optionsOf } from './simulation-options.ts';

const SEEDS = 100;

/** Each value that stands for itself, by its path: a load or a duration is one. */
function valuesOf(value: unknown, path: readonly string[] = []): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || 'kind' in value) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([name, one]) => valuesOf(one, [...path, name]));
}

/** The scenario with another value at this path. */
function changed(scenario: Scenario, path: string, value: unknown): Scenario {
  const [name = '', part] = path.split('.');
  const fields: Record<string, unknown> = { ...scenario };
  fields[name] = part === undefined ? value : { ...Object(fields[name]), [part]: value };
  // Its fields have the types that they had.
  return fields as unknown as Scenario;
}

test('every option that a seed decides is printed', () => {
  const scenarios = Array.from({ length: SEEDS }, (_, seed) => swarmScenario(DEFAULT_SCENARIO, seed));
  const paths = new Set(scenarios.flatMap((one) => valuesOf(one).map(([path]) => path)));
  const valueAt = (scenario: Scenario, path: string): unknown => new Map(valuesOf(scenario)).get(path);
  const decided = [...paths]
    .filter((path) => path !== 'guest.hostileRelays')
    .map((path) => [path, scenarios.map((one) => valueAt(one, path))] as const)
    .filter(([, values]) => new Set(values.map((one) => JSON.stringify(one))).size > 1);
  const hidden = new Set<string>();
  for (const scenario of scenarios) {
    const text = optionsOf(scenario).join('\n');
    for (const [path, values] of decided) {
      const own = JSON.stringify(valueAt(scenario, path));
      const other = values.find((one) => JSON.stringify(one) !== own);
      if (optionsOf(changed(scenario, path, other)).join('\n') === text) hidden.add(path);
    }
  }
  expect([...hidden]).toEqual([]);
  expect(decided.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      'deadlineMs',
      'memoryBytes',
      'clients',
      'guest.payload',
      'disk.write',
      'params.spare_state',
    ]),
  );
});

test('hostile guests are printed where commands are relayed', () => {
  const relay = {
    ...DEFAULT_SCENARIO,
    control: 'relay',
    guest: { ...DEFAULT_SCENARIO.guest, hostileRelays: 0.25 },
  } as const;
  expect(optionsOf(relay).join()).toContain('commands relayed, 0.25 of them by hostile guests');
});

test('a trace is printed with the factor of its counts', () => {
  const rows = [{ atMs: 0, count: 5, bytes: 64, units: undefined }];
  const [first] = optionsOf({ ...DEFAULT_SCENARIO, load: { kind: 'trace', rows, scale: 0.5 } });
  expect(first).toContain('a trace of 1 lines, times 0.5,');
});
