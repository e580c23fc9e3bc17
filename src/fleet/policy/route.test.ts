import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { admit } from './admission.ts';
import { route } from './route.ts';

const GIB = 1024 ** 3;

describe('R4', () => {
  const full = { addresses: 2, params: { vm_backlog_max: 2 } };

  it('puts a request on the least loaded VM when no address is free', async () => {
    await using fleet = new FakeFleet(full);
    fleet.send();
    fleet.send();
    await fleet.settle();
    fleet.report(1, { cpuPercent: 90 });
    fleet.report(2, { cpuPercent: 10 });
    fleet.send({ op: 'third' });
    fleet.send({ op: 'fourth' });
    await fleet.settle();
    expect(fleet.links.of(2).open.at(-1)?.op).toBe('third');
    expect(fleet.links.of(1).open.at(-1)?.op).toBe('fourth');
  });

  it('goes up to vm_backlog_max; beyond it the request waits, and is served in order', async () => {
    await using fleet = new FakeFleet(full);
    for (let n = 0; n < 8; n++) fleet.send({ op: String(n) });
    await fleet.settle();
    expect([fleet.links.of(1).open.length, fleet.links.of(2).open.length]).toEqual([3, 3]);
    expect(await fleet.snapshot()).toMatchObject({ waiting: 2 });
    fleet.reply(2);
    await fleet.settle();
    expect(fleet.links.of(2).open.at(-1)?.op).toBe('6');
  });

  it('waits for VMs that are being started, up to what they will take', async () => {
    await using fleet = new FakeFleet({ addresses: 2, obeys: ['prepare', 'start'], params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.obeys.delete('start');
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.settle();
    expect(fleet.links.of(1).open).toHaveLength(2);
    expect(await fleet.snapshot()).toMatchObject({ waiting: 1 });
  });

  it('with nothing ready at all waits', async () => {
    await using fleet = new FakeFleet({ addresses: 1, obeys: [] });
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.settle();
    expect(await fleet.snapshot()).toMatchObject({ waiting: 3 });
  });
});

describe('R4, whom it takes', () => {
  it.each([
    ['the fewest requests in flight', [{}, {}, {}], [2, 1, 1], 2],
    ['the lowest cpu', [{ cpuPercent: 50 }, { cpuPercent: 40, ramBytes: 9 }, { cpuPercent: 60 }], [1, 1, 1], 2],
    ['the lowest ram', [{ ramBytes: 3 }, { ramBytes: 3 }, { ramBytes: 2 }], [1, 1, 1], 3],
    ['the lowest id', [{}, {}, {}], [1, 1, 1], 1],
  ])('%s', (_what, figures, loads, vm) => {
    const bare = new BareFleet({ addresses: 3, params: { vm_backlog_max: 2 } }).ready(1, 2, 3);
    for (const [index, report] of figures.entries()) {
      bare.report(index + 1, { cpuPercent: 5, ramBytes: 5, ...report });
      for (let n = 0; n < (loads[index] ?? 0); n++) bare.work(index + 1);
    }
    expect(route(bare.fleet, 0)).toEqual({ kind: 'dispatch', rule: 'R4', vm });
  });

  it('no VM that is gone, drains, or has its link down', () => {
    const bare = new BareFleet({ addresses: 3, params: { vm_backlog_max: 2 } }).ready(1, 2, 3);
    for (const vm of [1, 2, 3]) bare.work(vm);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'x', ejected: false }).link(2, false);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'dispatch', rule: 'R4', vm: 3 });
    bare.work(3);
    bare.work(3);
    expect(route(bare.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    const left = bare.fleet.vm(3)?.requests.first;
    if (left !== undefined) bare.apply({ kind: 'request-left', request: left, nowMs: 0 });
    bare.apply({ kind: 'vm-gone', vm: 3 });
    expect(route(bare.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
  });

  it('no VM while a spare or a VM that starts will take the request', () => {
    const busy = (addresses: number) => {
      const bare = new BareFleet({ addresses, params: { vm_backlog_max: 2, vm_requests_max: 2 } }).ready(1);
      bare.work(1);
      bare.work(1);
      return bare;
    };
    expect(route(busy(1).fleet, 0)).toMatchObject({ rule: 'R4' });
    expect(route(busy(2).prepared(2, { spare: true }).fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    const starting = busy(2).booting(2);
    expect(route(starting.fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    expect(route(starting.wait(1).fleet, 0)).toEqual({ kind: 'wait', rule: 'R3' });
    expect(route(starting.wait(1).fleet, 0)).toMatchObject({ rule: 'R4' });
  });

  it('no VM while an address is free but cannot be used: the request waits for the first VM that is free', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, host_memory_reserve_bytes: GIB } });
    await fleet.settle();
    fleet.event({ kind: 'host-stats', availableBytes: GIB, vmBytes: GIB / 4 });
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.settle();
    expect([fleet.links.of(1).open.length, (await fleet.snapshot()).waiting]).toEqual([1, 2]);
  });
});

describe('router_queue_max', () => {
  const QUEUE = { router_queue_max: 0, vm_backlog_max: 0 };
  const kindOf = (bare: BareFleet) => admit(bare.fleet, bare.newRequest(), bare.nowMs).kind;

  it('is how many requests wait for VMs that run', () => {
    const bare = new BareFleet({ addresses: 1, params: { ...QUEUE, router_queue_max: 2 } }).ready(1);
    bare.work(1);
    expect([kindOf(bare), kindOf(bare.wait(1)), kindOf(bare.wait(1))]).toEqual(['wait', 'wait', 'end']);
  });

  it('does not count requests that VMs to come will take', () => {
    const bare = new BareFleet({ addresses: 1, params: { ...QUEUE, vm_requests_max: 2 } }).booting(1);
    expect([kindOf(bare), kindOf(bare.wait(1)), kindOf(bare.wait(1))]).toEqual(['wait', 'wait', 'end']);
  });

  it('does not count the requests that R3 starts VMs for: each of a burst waits', async () => {
    const bare = new BareFleet({ addresses: 2, params: { ...QUEUE, vm_requests_max: 2 } });
    const kinds = Array.from({ length: 5 }, () => {
      const kind = kindOf(bare);
      bare.wait(1);
      return kind;
    });
    expect(kinds).toEqual(['wait', 'wait', 'wait', 'wait', 'end']);
    await using fleet = new FakeFleet({ addresses: 3, params: QUEUE });
    const clients = Array.from({ length: 4 }, () => fleet.send());
    await fleet.settle();
    expect(clients.map(({ outcomes }) => outcomes.length)).toEqual([0, 0, 0, 1]);
    expect(fleet.told('prepare')).toEqual([1, 2, 3]);
  });

  it('counts those for which the memory of the host does not reach', () => {
    const bare = new BareFleet({ params: { ...QUEUE, host_memory_reserve_bytes: GIB } });
    bare.apply({ kind: 'host-memory', memory: { availableBytes: 2 * GIB, vmBytes: GIB / 2 - 1 }, nowMs: 0 });
    expect([kindOf(bare), kindOf(bare.wait(1)), kindOf(bare.wait(1))]).toEqual(['wait', 'wait', 'end']);
  });

  it('counts those for which other programs have the addresses, until the quarantine is over', () => {
    const bare = new BareFleet({ addresses: 2, params: QUEUE }).preparing(1).bindFails(1);
    bare.apply({ kind: 'released', vm: 1 });
    expect([kindOf(bare), kindOf(bare.wait(1)), kindOf(bare.later(250))]).toEqual(['wait', 'end', 'wait']);
  });

  it('counts those that come while the store gives no id, but for those that spares will take', () => {
    const bare = new BareFleet({ addresses: 9, params: QUEUE }).prepared(1, { spare: true });
    bare.apply({ kind: 'no-id', untilMs: 1_000 });
    expect([kindOf(bare), kindOf(bare.wait(1)), kindOf(bare.later(1_000))]).toEqual(['wait', 'end', 'wait']);
  });

  it('counts those that come while the back-off lasts, although there is a spare', () => {
    const bare = new BareFleet({ params: QUEUE }).prepared(1, { spare: true });
    for (const vm of [2, 3]) bare.booting(vm).crash(vm);
    expect([kindOf(bare), kindOf(bare.later(250))]).toEqual(['end', 'wait']);
  });

  it('does not count the request that a spare will take', () => {
    expect(kindOf(new BareFleet({ addresses: 1, params: QUEUE }).prepared(1, { spare: true }))).toBe('wait');
  });

  it('counts a request for which no VM can be started', () => {
    const noMemory = new BareFleet({ params: { ...QUEUE, host_memory_reserve_bytes: GIB } });
    const memory = { availableBytes: GIB, vmBytes: GIB / 4 };
    expect(kindOf(noMemory.apply({ kind: 'host-memory', memory, nowMs: 0 }))).toBe('end');
    const noAddress = new BareFleet({ addresses: 1, params: QUEUE }).ready(1);
    noAddress.work(1);
    expect(kindOf(noAddress)).toBe('end');
  });
});
