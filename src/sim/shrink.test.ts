import { expect, test } from 'vitest';
import { checkScenario } from './check-scenario.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { simplerOf } from './shrink.ts';
import { swarmScenario } from './swarm.ts';

const FAILURE = { kind: 'invariant', message: 'VM 1 is lost', atMs: 5_000 } as const;

test('what a scenario is made smaller to can be run from a file: a parameter that another one needs is kept', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const params = { boot_timeout_ms: 100_000, ip_reserve_ms: 200_000 };
    const scenario = swarmScenario(DEFAULT_SCENARIO, seed, { params });
    const simpler = [...simplerOf({ scenario, failure: FAILURE })];
    for (const one of simpler) expect(checkScenario(JSON.parse(JSON.stringify(one)))).toEqual(one);
    expect(simpler.some((one) => one.params['boot_timeout_ms'] === undefined)).toBe(true);
    expect(simpler.some((one) => one.params['ip_reserve_ms'] === undefined)).toBe(false);
  }
});
