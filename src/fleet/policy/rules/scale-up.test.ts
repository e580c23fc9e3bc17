import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

const GIB = 1024 ** 3;

describe('R3', () => {
  it('starts as many VMs as the requests that wait need, and no more', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { vm_requests_max: 2 } });
    for (let n = 0; n < 5; n++) fleet.send();
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([1, 2, 3]);
    expect(fleet.eventsOf('vm-start').at(-1)).toMatchObject({
      rule: 'R3',
      figures: { waiting: 5, capacity_to_come: 4 },
    });
  });

  it('gives a waiting request to whichever VM is free first, running or new', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.obeys.delete('start');
    fleet.send({ op: 'first' });
    fleet.send({ op: 'second' });
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.reply(1);
    await fleet.settle();
    expect(fleet.links.of(1).open.map((request) => request.op)).toEqual(['second']);
  });

  it('lets a VM run only once its reservation is durable', async () => {
    let durable: () => void = () => undefined;
    const reserve = (): Promise<void> =>
      new Promise((resolve) => {
        durable = resolve;
      });
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, reserve });
    await fleet.advance(500);
    expect([fleet.told('prepare'), fleet.told('start')]).toEqual([[1], []]);
    durable();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([1]);
  });

  it('ends a VM whose reservation could not be written', async () => {
    let failures = 1;
    const reserve = () => (failures-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve());
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, reserve });
    await fleet.advance(500);
    expect([fleet.told('stop'), fleet.told('start')]).toEqual([[1], [2]]);
    expect(fleet.eventsOf('write-failed')).toMatchObject([{ vm: 1 }]);
  });

  it('starts nothing when less memory than the reserve would stay, those on their way counted in full', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { host_memory_reserve_bytes: GIB } });
    fleet.event({ kind: 'host-stats', availableBytes: 2 * GIB, vmBytes: GIB / 2 - 1 });
    for (let n = 0; n < 5; n++) fleet.send();
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.event({ kind: 'host-stats', availableBytes: Number.NaN, vmBytes: 0 });
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.event({ kind: 'host-stats', availableBytes: 3 * GIB, vmBytes: GIB / 4 });
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4, 5]);
  });

  it('sets an address aside whose bind failed, longer each time, and takes the next', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['start'], addresses: 2 });
    await fleet.settle();
    const idIp = async (): Promise<number | undefined> => (await fleet.snapshot()).vms[0]?.id_ip;
    fleet.gone(1, 'taken', 'PORT_TAKEN');
    await fleet.settle();
    expect([await idIp(), fleet.told('prepare').length]).toEqual([2, 2]);
    fleet.gone(2, 'taken', 'PORT_TAKEN');
    await fleet.advance(200);
    expect(fleet.told('prepare')).toHaveLength(2);
    await fleet.advance(100);
    expect([await idIp(), fleet.told('prepare').length]).toEqual([1, 3]);
    fleet.gone(3, 'taken', 'PORT_TAKEN');
    await fleet.settle();
    expect(await idIp()).toBe(2);
    fleet.gone(4, 'taken', 'PORT_TAKEN');
    await fleet.advance(450);
    expect(fleet.told('prepare')).toHaveLength(4);
    await fleet.advance(100);
    expect(await idIp()).toBe(1);
  });
});

describe('R3, spares', () => {
  it('are prepared while nobody waits, and run only when they are wanted, before any new VM', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 2 } });
    await fleet.advance(60_000);
    expect([fleet.told('prepare'), fleet.told('start')]).toEqual([[1, 2], []]);
    fleet.send();
    await fleet.advance(100);
    expect([fleet.told('prepare'), fleet.told('start')]).toEqual([[1, 2, 3], [1]]);
  });

  it('are wanted before a request falls back on a busy VM', async () => {
    await using fleet = new FakeFleet({ addresses: 2, params: { spare_vm_count: 1 } });
    fleet.send();
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.send();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([1, 2]);
    expect([fleet.links.of(1).open.length, fleet.links.of(2).open.length]).toEqual([1, 1]);
  });

  it('beyond the number give their address back when the number is lowered', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 2 } });
    await fleet.settle();
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 0, spare_vm_count: 0 }) });
    await fleet.settle();
    expect(await fleet.snapshot()).toMatchObject({ vms: [], addresses_free: 10 });
  });
});

describe('R3, spares that are made and used', () => {
  it('are not made while requests wait: a request comes before a reserve', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { spare_vm_count: 1 } });
    fleet.send();
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([1]);
  });

  it('are used while they are still being prepared, if no address is free', async () => {
    await using fleet = new FakeFleet({ addresses: 1, obeys: [], params: { spare_vm_count: 1 } });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    expect(fleet.eventsOf('vm-start').map(({ vm, text }) => [vm, text])).toEqual([
      [1, expect.stringContaining('prepared as a spare')],
      [1, expect.stringContaining('a spare, is started')],
    ]);
    fleet.event({ kind: 'vm-prepared', vm: 1, pid: 5 });
    await fleet.settle();
    expect(fleet.told('start')).toEqual([1]);
  });

  it('do not run before their reservation is durable', async () => {
    const durable: (() => void)[] = [];
    const reserve = (): Promise<void> => new Promise((resolve) => durable.push(resolve));
    await using fleet = new FakeFleet({ addresses: 1, params: { spare_vm_count: 1 }, reserve });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    expect([await fleet.inState('prepared'), fleet.told('start')]).toEqual([[1], []]);
    for (const settle of durable) settle();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([1]);
  });

  it('do not run when their reservation becomes durable and nobody wants them', async () => {
    const durable: (() => void)[] = [];
    const reserve = (): Promise<void> => new Promise((resolve) => durable.push(resolve));
    await using fleet = new FakeFleet({ params: { spare_vm_count: 1 }, reserve });
    await fleet.settle();
    for (const settle of durable) settle();
    await fleet.settle();
    expect([await fleet.inState('prepared'), fleet.told('start')]).toEqual([[1], []]);
  });

  it('tell how long it took from when they were wanted, and have a lease from then on', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 1 }, obeys: ['prepare'] });
    await fleet.advance(60_000);
    fleet.send({ withinMs: 60_000 });
    await fleet.advance(300);
    expect(fleet.told('start')).toEqual([1]);
    expect(await fleet.row(1)).toMatchObject({ uptime_ms: 300 });
    fleet.answering(1);
    await fleet.settle();
    expect(fleet.eventsOf('vm-ready')).toMatchObject([{ figures: { boot_ms: 300, since_decision_ms: 300 } }]);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('are wanted once, and not while they stop', () => {
    const { fleet } = new BareFleet().prepared(1, { spare: true }).prepared(2, { spare: true });
    const wanted = (vm: number) => fleet.apply({ kind: 'vm-wanted', vm, nowMs: 0 });
    expect([wanted(1), wanted(1)]).toEqual([true, false]);
    fleet.apply({ kind: 'vm-stopping', vm: 2, reason: 'idle', why: 'x', nowMs: 0 });
    expect(wanted(2)).toBe(false);
  });
});

describe('R3, the memory reserve', () => {
  const memory = (availableBytes: number) => ({ kind: 'host-stats', availableBytes, vmBytes: GIB / 4 }) as const;

  it('holds for VMs that became ready since the last figure of the host', async () => {
    await using fleet = new FakeFleet({ addresses: 30, params: { host_memory_reserve_bytes: GIB } });
    fleet.event(memory(2 * GIB));
    for (let n = 0; n < 20; n++) fleet.send();
    await fleet.advance(300);
    expect(await fleet.inState('ready')).toEqual([1, 2, 3, 4]);
    fleet.event(memory(GIB + GIB / 4));
    await fleet.advance(100);
    expect(await fleet.inState('ready')).toEqual([1, 2, 3, 4, 5]);
  });

  it('counts no longer what has gone', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, host_memory_reserve_bytes: GIB } });
    fleet.event(memory(GIB + GIB / 2));
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2, 3]);
  });
});

describe('R3, the quarantine of an address', () => {
  it('begins anew with an address on which a guest has answered', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, obeys: [] });
    await fleet.settle();
    for (let vm = 1; vm <= 3; vm++) {
      fleet.gone(vm, 'taken', 'PORT_TAKEN');
      while (fleet.told('prepare').length === vm) await fleet.advance(50);
    }
    fleet.event({ kind: 'vm-prepared', vm: 4, pid: 5 });
    fleet.answering(4);
    await fleet.settle();
    fleet.gone(4, 'taken', 'PORT_TAKEN');
    await fleet.advance(200);
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4]);
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4, 5]);
  });
});
