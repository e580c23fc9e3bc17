import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

const GIB = 1024 * 1024 * 1024;

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
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: 2 * GIB, vmBytes: GIB / 2 - 1 });
    for (let n = 0; n < 5; n++) fleet.send();
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: Number.NaN, vmBytes: 0 });
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: 3 * GIB, vmBytes: GIB / 4 });
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
