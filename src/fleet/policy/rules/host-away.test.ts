import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { running } from '../../kit/running.ts';

describe('R6, a host out of reach', () => {
  it('has VMs of which nothing is known: no requests, no capacity, their addresses kept', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    const client = fleet.send();
    await fleet.advance(60_000 - 30_500);
    expect(await fleet.snapshot()).toMatchObject({ vms: [{ state: 'unknown' }], addresses_free: 9, waiting: 1 });
    expect([fleet.told('stop'), fleet.told('prepare')]).toEqual([[], [1]]);
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.settle();
    fleet.reply(1);
    await fleet.advance(4_900);
    expect(client.outcomes).toMatchObject([{ ok: true }]);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('has as much time when it is back as it had when it went', async () => {
    await using fleet = await running();
    await fleet.advance(3_000);
    fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.advance(60_000);
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.advance(1_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('may be silent a little later than its VMs: they are judged as of when it was heard', async () => {
    await using fleet = await running();
    await fleet.advance(900);
    fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.advance(60_000);
    expect([fleet.eventsOf('host-down').length, fleet.told('stop')]).toEqual([1, []]);
  });

  it('is one that told of itself and does so no more', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
    fleet.report(1);
    await fleet.advance(5_100);
    const figures = { silent_ms: 5_000, last_connect_ms: 5_000, vms: 1 };
    expect(fleet.eventsOf('host-down')).toMatchObject([{ host: 'here', rule: 'R6', figures }]);
    expect(fleet.told('stop')).toEqual([]);
    fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('comes back without a VM: that one is gone, and its request tried elsewhere', async () => {
    await using fleet = await running();
    const client = fleet.send();
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'gone' });
    await fleet.advance(1_000);
    fleet.event({ kind: 'host-up', vms: [] });
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });
});

describe('R6, a host that is heard of', () => {
  it('is in reach while it forwards reports, though its own figures are missing', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.reporting([1], 20);
    expect(fleet.eventsOf('host-down')).toEqual([]);
  });

  it('has its full time again when it is back', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.advance(4_000);
    fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.advance(1_000);
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.advance(4_000);
    expect(fleet.eventsOf('host-down')).toHaveLength(1);
    await fleet.advance(1_200);
    expect(fleet.eventsOf('host-down')).toHaveLength(2);
  });

  it('is not out of reach below the interval of its own figures, however small last_connect_ms is', async () => {
    await using fleet = new FakeFleet({ params: { status_interval_ms: 100, last_connect_ms: 300 } });
    for (let second = 0; second < 5; second++) {
      fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });
      await fleet.advance(1_000);
    }
    expect(fleet.eventsOf('host-down')).toEqual([]);
    await fleet.advance(2_100);
    expect(fleet.eventsOf('host-down')).toHaveLength(1);
  });

  it('that has told figures but not yet what it adopted is still waited for', async () => {
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1 } });
    const stats = { kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 } as const;
    fleet.event(stats);
    await fleet.advance(10_000);
    fleet.event(stats);
    await fleet.advance(1_000);
    expect([fleet.eventsOf('host-down'), fleet.told('prepare')]).toEqual([[], []]);
  });

  it('that takes long to tell what it adopted is in reach from then on, however long ago its figures came', () => {
    const memory = { availableBytes: 1e10, vmBytes: 1e6 };
    const bare = new BareFleet({ isUp: false }).apply({ kind: 'host-memory', memory, nowMs: 0 }).later(10_000);
    expect(bare.apply({ kind: 'host-up', nowMs: bare.nowMs }).decisions()).toEqual([]);
    expect(bare.later(5_000).decisions()).toEqual(['R6 host-away']);
  });

  it('is told once that it is out of reach, and once that it is back', async () => {
    await using fleet = await running();
    for (let n = 0; n < 2; n++) fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.advance(1_000);
    for (let n = 0; n < 2; n++) fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.settle();
    expect([fleet.eventsOf('host-down').length, fleet.eventsOf('host-up').length]).toEqual([1, 2]);
  });

  it('that comes back keeps a VM that it was only asked for', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    fleet.event({ kind: 'host-up', vms: [] });
    await fleet.settle();
    expect(await fleet.inState('preparing')).toEqual([1]);
  });
});
