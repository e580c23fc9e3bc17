import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

describe('the looks of a router', () => {
  it('find what time brings about within a second, also from a rest', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000 } });
    await fleet.settle();
    await fleet.reporting([1], 2);
    await fleet.advance(4_100);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('are frequent again as soon as something is under way', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000 } });
    await fleet.settle();
    await fleet.reporting([1], 2);
    const client = fleet.send({ withinMs: 60 });
    await fleet.advance(120);
    expect(client.outcomes).toMatchObject([{ status: 504 }]);
  });

  it('leave a standstill out once, however many messages come before the next of them', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000 } });
    await fleet.settle();
    fleet.report(1);
    await fleet.settle();
    fleet.stall(3_000);
    for (let n = 0; n < 5; n++) {
      fleet.answering(1);
      await fleet.settle();
    }
    await fleet.advance(4_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });
});
