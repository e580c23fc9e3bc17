import { describe, it } from 'vitest';
import { HYPERVISOR_POINTS } from '../hypervisor/kit/mod.ts';
import { onSimulatedHost } from './testing/hypervisor-place.ts';

const SEEDS = 20;

describe('the simulated hypervisor keeps what the port promises', () => {
  it.each(HYPERVISOR_POINTS.map(({ name, holds }) => [name, holds] as const))('%s', async (_name, holds) => {
    for (let seed = 1; seed <= SEEDS; seed++) await onSimulatedHost(holds, seed);
  });
});
