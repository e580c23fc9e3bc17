import { expect, test } from 'vitest';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { simulate } from './run.ts';
import { FAULT_NAMES, NO_FAULTS } from './scenario.ts';

const SEEDS = [1, 2, 3];
const A_MINUTE = 20;
const SECONDS = 20;
/** Three of ten come twice. */
const EXPECTED = (SEEDS.length * A_MINUTE * SECONDS * 1.3) / 60;

test.each(FAULT_NAMES)('%s comes as often as its rate says, and not without one', async (name) => {
  let count = 0;
  for (const seed of SEEDS) {
    const result = await simulate({
      ...DEFAULT_SCENARIO,
      seed,
      hosts: 2,
      durationMs: SECONDS * 1_000,
      load: { kind: 'constant', perSecond: 3 },
      params: { min_vm_count: 2 },
      faults: { ...NO_FAULTS, [name]: A_MINUTE },
    });
    if (!result.ok) throw new Error(result.failure.message);
    const faults = Object.entries(result.report.counts).filter(([kind]) => kind.startsWith('fault '));
    expect(faults.map(([kind]) => kind)).toEqual([`fault ${name}`]);
    count += faults[0]?.[1] ?? 0;
  }
  // By chance, and where nothing is there to break it does not count.
  expect(count).toBeGreaterThan(EXPECTED / 3);
  expect(count).toBeLessThan(EXPECTED * 2);
});
