import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../../errors.ts';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';

describe('R7', () => {
  it('ends what a reservation of ip_reserve_ms without a status line has started, and only then frees the address', async () => {
    await using fleet = new FakeFleet({ addresses: 1, obeys: [], params: { min_vm_count: 1 } });
    await fleet.advance(14_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([
      { vm: 1, rule: 'R7', figures: { reserved_ms: 15_000, ip_reserve_ms: 15_000 } },
    ]);
    expect(await fleet.snapshot()).toMatchObject({ addresses_free: 0 });
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2]);
  });

  it('lets a spare that is prepared keep its address', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 1 } });
    await fleet.advance(60_000);
    expect([await fleet.inState('prepared'), fleet.told('stop')]).toEqual([[1], []]);
  });

  it('leaves a VM its boot_timeout_ms, however long its preparation took', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.advance(8_000);
    fleet.event({ kind: 'vm-prepared', vm: 1, pid: 1 });
    await fleet.advance(9_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('ends a spare whose preparation takes too long', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { spare_vm_count: 1 } });
    await fleet.advance(14_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([{ vm: 1, rule: 'R7' }]);
  });

  it('leaves a pause of ours out', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.advance(5_000);
    fleet.stall(60_000);
    await fleet.advance(9_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('leaves a pause of ours out for each reservation', () => {
    const bare = new BareFleet().preparing(1).later(10_000).apply({ kind: 'paused', forMs: 10_000 });
    bare.later(5_000).preparing(2);
    expect(bare.later(10_000).decisions()).toEqual(['R7 stop 1']);
  });

  it('does not end a VM that works, though it has printed no status line', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send({ withinMs: 60_000 });
    await fleet.advance(40_000);
    expect([fleet.told('stop'), client.outcomes]).toEqual([[], []]);
    fleet.reply(1);
    await fleet.advance(1_100);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[1], [1]]);
  });

  it('keeps the reservation of a host that cannot be asked', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'gone' });
    await fleet.advance(60_000);
    expect([fleet.told('stop'), (await fleet.snapshot()).addresses_free]).toEqual([[], 9]);
  });

  it('writes the row at the first status line, once, and what may be lost at each later one', async () => {
    const inserted: unknown[] = [];
    const touched: unknown[] = [];
    await using fleet = new FakeFleet({
      params: { min_vm_count: 1 },
      insert: async (record) => void inserted.push(record),
      touch: (vm, touch) => void touched.push({ vm, ...touch }),
    });
    await fleet.settle();
    expect(inserted).toEqual([]);
    fleet.report(1, { cpuPercent: 7 });
    fleet.report(1, { cpuPercent: 1 });
    await fleet.settle();
    const { clock } = fleet.kit;
    expect(inserted).toMatchObject([
      {
        vm: 1,
        host: 'here',
        address: { id: 1 },
        pid: 1_001,
        imageDigest: 'image of 1',
        report: { cpuPercent: 7 },
        startedMs: clock.now() - clock.monotonic(),
      },
    ]);
    expect(touched).toMatchObject([{ vm: 1, freeCount: 1, state: 'ready' }]);
  });
});

describe('R8', () => {
  it('frees an address when its release is durable, and not before', async () => {
    const releases: (() => void)[] = [];
    const release = (): Promise<void> => new Promise((resolve) => releases.push(resolve));
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, release });
    await fleet.settle();
    fleet.gone(1);
    await fleet.advance(1_000);
    expect([fleet.told('prepare'), (await fleet.snapshot()).addresses_free]).toEqual([[1], 0]);
    for (const durable of releases) durable();
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2]);
    expect(fleet.eventsOf('address-free')).toMatchObject([{ vm: 1, rule: 'R8', figures: { id_ip: 1 } }]);
  });

  it('tries a release that failed again until it succeeds', async () => {
    let failures = 4;
    const release = async (): Promise<void> => {
      if (failures-- > 0) throw new Error('disk full');
    };
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, release });
    await fleet.settle();
    fleet.gone(1);
    await fleet.advance(10_000);
    expect(fleet.eventsOf('write-failed')).toHaveLength(4);
    expect(fleet.told('prepare')).toEqual([1, 2]);
  });

  it('writes a release after the reservation that it ends, however late that is', async () => {
    const writes: string[] = [];
    let durable: () => void = () => undefined;
    const reserve = (): Promise<void> => {
      writes.push('reserve');
      return new Promise((resolve) => {
        durable = resolve;
      });
    };
    const release = async (): Promise<void> => void writes.push('release');
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, reserve, release });
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    expect(writes).toEqual(['reserve']);
    durable();
    await fleet.settle();
    expect(writes).toEqual(['reserve', 'release', 'reserve']);
  });

  it('starts nothing on an address that the tables say is held, until its host says that the VM is gone', async () => {
    const released: number[] = [];
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    await using fleet = new FakeFleet({
      addresses: 2,
      isUp: false,
      params: { min_vm_count: 2 },
      held: [
        { vm: 40, address },
        { vm: 41, address: { id: 2, ip: '10.0.0.2', port: 9_000 } },
      ],
      release: async (vm) => void released.push(vm),
      nextVmId: () => 50,
    });
    // 41 is something that the host could not identify and left alone.
    fleet.event({ kind: 'host-up', vms: [41] });
    await fleet.advance(1_000);
    expect(released).toEqual([40]);
    expect((await fleet.snapshot()).vms.map((vm) => [vm.id_vmachine, vm.id_ip])).toEqual([[50, 1]]);
    expect(await fleet.snapshot()).toMatchObject({ addresses_free: 0 });
  });

  it('takes over a VM on the address that the tables say it holds', async () => {
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    const held = [{ vm: 40, address }];
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1 }, held });
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'answering' });
    fleet.answering(40);
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(1_000);
    expect([await fleet.inState('ready'), fleet.told('prepare')]).toEqual([[40], []]);
  });

  it('takes another address when the tables give one to somebody else', async () => {
    const reserve = (_vm: number, address: { id: number }): Promise<void> =>
      address.id === 1 ? Promise.reject(new ShoalError('STORE_CONFLICT', 'VM 9 holds it')) : Promise.resolve();
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, reserve });
    await fleet.advance(200);
    expect((await fleet.snapshot()).vms.map((vm) => [vm.id_ip, vm.state])).toEqual([[2, 'ready']]);
  });

  it('ends a VM that is found on an address which another holds', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    fleet.event({ kind: 'vm-adopted', vm: 50, address, pid: 7, startedMs: 0, state: 'answering' });
    await fleet.settle();
    expect(fleet.told('stop')).toEqual([50]);
    expect(fleet.eventsOf('unidentified')).toMatchObject([{ vm: 50, figures: { held_by: 1 } }]);
  });

  it('gives an address that was taken out of the pool to nobody, also after its VM is gone', async () => {
    await using fleet = new FakeFleet({ addresses: 1, isUp: false, params: { min_vm_count: 1 } });
    const address = { id: 1, ip: '10.9.9.9', port: 9_000 };
    fleet.event({ kind: 'vm-adopted', vm: 50, address, pid: 7, startedMs: 0, state: 'answering' });
    fleet.answering(50);
    fleet.event({ kind: 'host-up' });
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([]);
    fleet.gone(50);
    await fleet.settle();
    expect((await fleet.snapshot()).vms.map((vm) => vm.address)).toEqual(['10.0.0.1:9000']);
  });
});

describe('R7, the row of a VM', () => {
  const report = { seq: 1, cpuPercent: 0, ramBytes: 1, inFlight: 0, served: 0 };

  it('has the time of its start in time of day, however late it is written', async () => {
    const inserted: { startedMs: number; lastConnectMs: number }[] = [];
    await using fleet = new FakeFleet({
      params: { min_vm_count: 0 },
      insert: async (record) => void inserted.push(record),
    });
    await fleet.advance(10_000);
    fleet.send();
    await fleet.settle();
    const startedMs = fleet.kit.clock.now();
    await fleet.advance(3_000);
    fleet.report(1);
    await fleet.settle();
    expect(inserted).toMatchObject([{ startedMs, lastConnectMs: startedMs + 3_000 }]);
  });

  it('is not touched by a report that is repeated, older or impossible', async () => {
    const touched: number[] = [];
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, touch: (vm) => void touched.push(vm) });
    await fleet.settle();
    for (const seq of [5, 6, 6, 4]) fleet.report(1, { seq });
    fleet.report(1, { seq: 7, cpuPercent: -1 });
    await fleet.settle();
    expect(touched).toEqual([1]);
  });

  it('is written again until that succeeds, unless the tables contradict it', async () => {
    const codes = ['STORE_IO', 'STORE_IO', 'STORE_CONFLICT', 'never asked for'];
    const insert = async (): Promise<void> => {
      const code = codes.shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code });
    };
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000 }, insert });
    await fleet.settle();
    await fleet.reporting([1], 20);
    expect(codes).toEqual(['never asked for']);
    expect(fleet.eventsOf('write-failed')).toHaveLength(3);
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('is refused for figures that cannot be', () => {
    const { fleet } = new BareFleet().mute(1);
    for (const absurd of [
      { seq: -1 },
      { seq: 0.5 },
      { served: -1 },
      { ramBytes: 0.5 },
      { cpuPercent: 101 },
      { inFlight: -1 },
    ]) {
      expect(fleet.apply({ kind: 'vm-report', vm: 1, report: { ...report, ...absurd }, nowMs: 0 })).toBe(false);
    }
    expect(fleet.apply({ kind: 'vm-report', vm: 1, report, nowMs: 0 })).toBe(true);
  });
});
