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

/** Two VMs that are ready and have reported. */
async function idle(): Promise<FakeFleet> {
  const fleet = new FakeFleet({ params: { min_vm_count: 2, free_count: 5 } });
  await fleet.settle();
  await fleet.reporting([1, 2], 2);
  return fleet;
}

/** How often a timer of the router fires while `work` goes on. */
async function wakes(fleet: FakeFleet, work: () => Promise<void>): Promise<number> {
  const { clock } = fleet.kit;
  const timer = clock.timer.bind(clock);
  let fired = 0;
  clock.timer = (delayMs, callback) =>
    timer(delayMs, () => {
      fired += 1;
      callback();
    });
  await work();
  clock.timer = timer;
  return fired;
}

describe('a fleet at rest', () => {
  it('wakes its router twice a second, and as often as ever once there is something to wait for', async () => {
    await using fleet = await idle();
    expect(await wakes(fleet, () => fleet.reporting([1, 2], 10))).toBeLessThanOrEqual(25);
    fleet.send({ withinMs: 60_000 });
    await fleet.settle();
    expect(await wakes(fleet, () => fleet.reporting([2], 10))).toBeGreaterThanOrEqual(190);
  });

  it('is none while VMs are missing', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, addresses: 1 });
    await fleet.settle();
    await fleet.reporting([1], 2);
    expect(await wakes(fleet, () => fleet.reporting([1], 10))).toBeGreaterThanOrEqual(190);
  });

  it('is one with spares beside those that run', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, spare_vm_count: 1, free_count: 2 } });
    await fleet.settle();
    await fleet.reporting([1], 4);
    expect(await wakes(fleet, () => fleet.reporting([1], 10))).toBeLessThanOrEqual(25);
  });

  it('ends a request at its deadline all the same', async () => {
    await using fleet = await idle();
    for (let untilMs = 0; untilMs < 250; untilMs += 10) {
      await fleet.advance(10);
      const { outcomes } = fleet.send({ withinMs: 100 });
      await fleet.advance(175);
      expect(outcomes).toMatchObject([{ ok: false, status: 504 }]);
      for (const vm of [1, 2]) if (fleet.links.of(vm).open.length > 0) fleet.fail(vm, 499);
      for (const vm of [1, 2]) fleet.report(vm);
      await fleet.advance(300);
    }
  });

  it('is none while a link is down, so that R2 is not late', async () => {
    await using fleet = await idle();
    fleet.dropLink(2);
    await fleet.reporting([1, 2], 4);
    expect(await wakes(fleet, () => fleet.advance(500))).toBeGreaterThanOrEqual(5);
  });

  it('takes its own standstill for one, also if other messages come before its next look', async () => {
    await using fleet = await idle();
    await fleet.advance(3_000);
    fleet.stall(60_000);
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.told('stop')).toEqual([]);
  });

  it('takes its own standstill for one, and a rest for none', async () => {
    await using fleet = await idle();
    await fleet.advance(3_000);
    fleet.stall(60_000);
    await fleet.advance(900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(1_000);
    expect(fleet.told('stop')).toEqual([1, 2]);
  });
});
