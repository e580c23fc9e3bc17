import { describe, it } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { isAlive } from '../process/mod.ts';
import { HYPERVISOR_POINTS } from './kit/mod.ts';
import { realHypervisor } from './testing/mod.ts';

describe('QEMU keeps what the port promises', () => {
  it.each(HYPERVISOR_POINTS.map(({ name, holds }) => [name, holds] as const))('%s', async (_name, holds) => {
    await using real = await realHypervisor();
    await holds({
      hypervisor: real.hypervisor,
      clock: systemClock,
      again: () => real.again(),
      spec: (overrides) => real.spec(overrides),
      isAlive,
    });
  });
});
