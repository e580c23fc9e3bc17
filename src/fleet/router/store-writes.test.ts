import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

describe('a write of the store', () => {
  it('that fails is tried again less and less often', async () => {
    let tries = 0;
    const release = () => {
      tries += 1;
      return Promise.reject(new Error('disk full'));
    };
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, release });
    await fleet.settle();
    fleet.gone(1);
    await fleet.advance(3_000);
    expect(tries).toBe(4);
  });

  it('that succeeds makes the next failure of that VM the first', async () => {
    let failing = 2;
    let releases = 0;
    const insert = () => (failing-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve());
    const release = () => (releases++ === 0 ? Promise.reject(new Error('disk full')) : Promise.resolve());
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, insert, release });
    await fleet.settle();
    fleet.report(1);
    await fleet.advance(300);
    fleet.gone(1);
    // The row is written at 750 ms. The release fails then, and is tried again 250 ms later.
    await fleet.advance(800);
    expect([failing, releases]).toEqual([-1, 2]);
  });
});
