import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../errors.ts';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import type { HostEvent } from '../values/host-messages.ts';
import { SPARE_BOOTED } from '../values/params.ts';
import { onHostEvent } from './on-host-event.ts';

const kinds = (list: readonly { readonly kind: string }[]) => list.map(({ kind }) => kind);
const told = (bare: BareFleet, event: HostEvent) => onHostEvent(bare.fleet, event, { nowMs: bare.nowMs, epochMs: 0 });
const prepared = { kind: 'vm-prepared', vm: 1, pid: 7, imageDigest: 'x' } as const;
const guest = { textBytesMax: 1, idempotent: true, operations: [] };

describe('what follows from what a controller tells', () => {
  it('is nothing when a VM is told to be prepared a second time', () => {
    expect(told(new BareFleet().ready(1), prepared)).toEqual({ transitions: [], effects: [] });
  });

  it('is no boot when a spare is prepared, though its reservation is durable', () => {
    const bare = new BareFleet().preparing(1, { spare: true }).apply({ kind: 'vm-durable', vm: 1 });
    expect(kinds(told(bare, prepared).transitions)).toEqual(['vm-prepared']);
  });

  it('is no link to a VM that is being ended', () => {
    const bare = new BareFleet().booting(1);
    const answering = { kind: 'vm-answering', vm: 1, guest } as const;
    expect(kinds(told(bare, answering).effects)).toEqual(['open-link']);
    bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'enough', nowMs: 0 });
    expect(kinds(told(bare, answering).effects)).toEqual([]);
  });

  it('is nothing when it ends a census that the router before this one asked for, of which a part was told to that', () => {
    const bare = new BareFleet({ isUp: false, census: 2 });
    for (const census of [undefined, 1]) {
      const stale = { kind: 'host-up', vms: [1, 2], ...(census === undefined ? {} : { census }) } as const;
      expect(told(bare, stale)).toEqual({ transitions: [], effects: [] });
    }
    expect(kinds(told(bare, { kind: 'host-up', vms: [1, 2], census: 2 }).transitions)).toEqual(['host-up']);
    // From then on whatever the controller tells counts.
    bare.apply({ kind: 'host-up', nowMs: 0 }, { kind: 'host-away', nowMs: 0 });
    expect(kinds(told(bare, { kind: 'host-up', vms: [] }).transitions)).toEqual(['host-up']);
  });

  it('is, when a VM is gone, that its link is closed, and why it was meant to go', () => {
    const bare = new BareFleet().ready(1).apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'idle', nowMs: 0 });
    const end = { clean: true, reason: 'shoal-stopped', why: 'stopped', exitCode: 0 } as const;
    const { effects } = told(bare, { kind: 'vm-gone', vm: 1, end });
    expect(kinds(effects)).toEqual(['close-link', 'event', 'write-release']);
    expect(effects[1]).toMatchObject({ event: { text: 'VM 1 is gone: idle', reason: 'idle' } });
  });
});

describe('R8, the reservation of a VM', () => {
  const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
  const adopted = (state: 'prepared' | 'booting' | 'answering' = 'answering') =>
    ({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state }) as const;

  it('is written for an adopted VM, once', async () => {
    const reserved: number[] = [];
    await using fleet = new FakeFleet({ isUp: false, reserve: async (vm) => void reserved.push(vm) });
    for (let n = 0; n < 2; n++) fleet.event(adopted());
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.settle();
    expect([reserved, fleet.eventsOf('vm-adopted').length, fleet.kit.failures]).toEqual([[40], 1, []]);
  });

  it('is tried again until it succeeds, for the VM runs on', async () => {
    let failures = 3;
    const reserve = async (): Promise<void> => {
      if (failures-- > 0) throw new Error('disk full');
    };
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1 }, reserve });
    fleet.event(adopted());
    fleet.answering(40);
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(2_000);
    expect([failures, await fleet.inState('ready'), fleet.told('stop')]).toEqual([-1, [40], []]);
    expect(fleet.eventsOf('write-failed')).toHaveLength(3);
  });

  it('is given up if the tables contradict it: the VM runs on', async () => {
    let writes = 0;
    const reserve = async (): Promise<void> => {
      writes += 1;
      throw new ShoalError('STORE_CONFLICT', 'VM 9 holds it');
    };
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1 }, reserve });
    fleet.event(adopted());
    fleet.answering(40);
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(9_000);
    expect([writes, await fleet.inState('ready')]).toEqual([1, [40]]);
  });

  it('waits for a host out of reach, for the VM cannot be ended', async () => {
    let fails = true;
    const reserve = async (): Promise<void> => {
      if (fails) throw new Error('disk full');
    };
    const durable = Promise.withResolvers<void>();
    await using fleet = new FakeFleet({
      params: { min_vm_count: 1 },
      reserve: () => durable.promise.then(reserve),
    });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.settle();
    durable.resolve();
    await fleet.advance(1_000);
    fails = false;
    await fleet.advance(5_000);
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.settle();
    expect([fleet.told('stop'), await fleet.inState('ready')]).toEqual([[], [1]]);
  });

  it('that fails for a VM that is gone is followed by its release', async () => {
    const written: string[] = [];
    const failing = Promise.withResolvers<void>();
    await using fleet = new FakeFleet({
      addresses: 1,
      obeys: [],
      params: { min_vm_count: 1 },
      reserve: () => failing.promise,
      release: async (vm) => void written.push(`release ${vm}`),
    });
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    failing.reject(new Error('disk full'));
    await fleet.settle();
    expect(written).toEqual(['release 1']);
  });

  it('that fails with a conflict sets the address aside, and is no failure of the VM', async () => {
    const tried: number[] = [];
    const reserve = async (_vm: number, { id }: { id: number }): Promise<void> => {
      tried.push(id);
      if (id <= 2) throw new ShoalError('STORE_CONFLICT', 'VM 9 holds it');
    };
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, reserve });
    await fleet.settle();
    fleet.router.tell({ kind: 'scale', vmCount: 2, replyTo: { path: 'admin', tell: () => true } });
    await fleet.settle();
    expect(tried).toEqual([1, 2, 3, 4]);
  });

  it('that fails otherwise does not set the address aside, and counts as a failure', async () => {
    const tried: number[] = [];
    const reserve = async (_vm: number, { id }: { id: number }): Promise<void> => {
      tried.push(id);
      throw new Error('disk full');
    };
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, reserve });
    await fleet.advance(200);
    expect(tried).toEqual([1, 1]);
    await fleet.advance(100);
    expect(tried).toEqual([1, 1, 1]);
  });
});

describe('R8, a VM that is adopted', () => {
  const address = { id: 1, ip: '10.0.0.1', port: 9_000 };

  it('that was prepared is a spare', async () => {
    await using fleet = new FakeFleet({ isUp: false, params: { spare_vm_count: 1 } });
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'prepared' });
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(20_000);
    expect([await fleet.inState('prepared'), fleet.told('start'), fleet.told('prepare')]).toEqual([[40], [], []]);
    fleet.send();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([40]);
  });

  it('that had booted as a spare boots no second time', async () => {
    const params = { spare_vm_count: 1, spare_state: SPARE_BOOTED };
    await using fleet = new FakeFleet({ isUp: false, params });
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'prepared', isPaused: true });
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(20_000);
    expect(fleet.told('boot-spare')).toEqual([]);
    fleet.send();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([40]);
    expect(fleet.eventsOf('vm-booting')).toMatchObject([{ vm: 40, text: 'VM 40, which has booted, goes on' }]);
  });

  it('that boots ahead stands still once, and not if it is wanted before', async () => {
    const params = { spare_vm_count: 1, spare_state: SPARE_BOOTED };
    const stood = async (isWanted: boolean) => {
      await using fleet = new FakeFleet({ isUp: false, params });
      fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'prepared' });
      fleet.event({ kind: 'host-up', vms: [40] });
      await fleet.settle();
      if (isWanted) fleet.send();
      await fleet.settle();
      for (let n = 0; n < 2; n++) fleet.event({ kind: 'vm-paused', vm: 40 });
      await fleet.settle();
      expect(fleet.kit.failures).toEqual([]);
      return fleet.eventsOf('vm-prepared').filter(({ text }) => text.includes('stands still')).length;
    };
    expect([await stood(false), await stood(true)]).toEqual([1, 0]);
  });

  it('that answers is ready only with its link, and tells no time of its boot', async () => {
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1 } });
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'answering' });
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(500);
    expect(await fleet.inState('booting')).toEqual([40]);
    fleet.answering(40);
    await fleet.settle();
    expect(fleet.eventsOf('vm-ready')).toMatchObject([{ vm: 40, text: expect.not.stringContaining('after') }]);
  });

  it('has its boot_timeout_ms from the adoption on', async () => {
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1, ip_reserve_ms: 10_001 } });
    const startedMs = fleet.kit.clock.now() - 60_000;
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs, state: 'booting' });
    await fleet.advance(2_000);
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.advance(7_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([{ vm: 40, rule: 'R6' }]);
  });

  it('is gone if its host comes back without it', async () => {
    await using fleet = new FakeFleet({ isUp: false });
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs: 0, state: 'answering' });
    fleet.event({ kind: 'host-up', vms: [40] });
    await fleet.settle();
    fleet.event({ kind: 'host-up', vms: [] });
    await fleet.settle();
    expect(await fleet.snapshot()).toMatchObject({ vms: [], addresses_free: 10 });
  });

  it('was not started in the future, whatever its clock said', async () => {
    await using fleet = new FakeFleet({ isUp: false });
    const startedMs = fleet.kit.clock.now() + 3_600_000;
    fleet.event({ kind: 'vm-adopted', vm: 40, address, pid: 7, startedMs, state: 'answering' });
    expect(await fleet.row(40)).toMatchObject({ uptime_ms: 0 });
  });

  it('is judged by the interval that it was told to report at', async () => {
    await using fleet = new FakeFleet({ isUp: false, params: { min_vm_count: 1, free_count: 1_000 } });
    const statusIntervalMs = 4_000;
    const told = { host: 'here', vm: 40, address, pid: 7, startedMs: 0, state: 'answering', statusIntervalMs } as const;
    fleet.event({ kind: 'vm-adopted', ...told });
    fleet.answering(40);
    fleet.event({ kind: 'host-up', vms: [40] });
    fleet.report(40);
    await fleet.advance(11_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([40]);
  });

  it('that only the tables know is gone as soon as its host says so, and its address is free once that is durable', async () => {
    const released: number[] = [];
    const held = [{ vm: 40, address }];
    await using fleet = new FakeFleet({ addresses: 1, held, release: async (vm) => void released.push(vm) });
    expect((await fleet.snapshot()).addresses_free).toBe(0);
    for (let n = 0; n < 2; n++) fleet.gone(40);
    await fleet.settle();
    expect([released, (await fleet.snapshot()).addresses_free]).toEqual([[40], 1]);
    expect(fleet.eventsOf('address-free')).toMatchObject([{ vm: 40 }]);
  });
});

describe('R8, a VM that is found on an address that another VM holds', () => {
  const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
  const found = (vm: number) =>
    ({ kind: 'vm-adopted', vm, address, pid: vm, startedMs: 0, state: 'answering' }) as const;

  it('is ended, and the address is free only when both are gone', async () => {
    const released: number[] = [];
    await using fleet = new FakeFleet({
      isUp: false,
      addresses: 1,
      obeys: [],
      held: [{ vm: 40, address }],
      release: async (vm) => void released.push(vm),
    });
    fleet.event(found(41));
    // VM 40, which the tables know, has ended while nobody looked.
    fleet.event({ kind: 'host-up', vms: [41] });
    fleet.send();
    await fleet.settle();
    expect([released, (await fleet.snapshot()).addresses_free, fleet.told('prepare')]).toEqual([[40], 0, []]);
    expect([fleet.told('stop'), fleet.eventsOf('address-free')]).toEqual([[41], []]);
    fleet.gone(41);
    await fleet.settle();
    expect([released, fleet.told('prepare')]).toEqual([[40, 41], [1]]);
    expect(fleet.eventsOf('address-free')).toMatchObject([{ vm: 41, rule: 'R8' }]);
  });

  it('is told to stop again until it is gone, gets no requests, and is no failure', async () => {
    await using fleet = new FakeFleet({ isUp: false, addresses: 2, obeys: ['prepare', 'start'] });
    for (const vm of [40, 41]) {
      fleet.event(found(vm));
      fleet.answering(vm);
    }
    fleet.event({ kind: 'host-up', vms: [40, 41] });
    await fleet.settle();
    expect([await fleet.inState('ready'), await fleet.inState('stopping')]).toEqual([[40], [41]]);
    await fleet.advance(5_100);
    expect([fleet.told('stop'), fleet.links.started]).toEqual([[41, 41], [40]]);
    fleet.gone(41);
    await fleet.settle();
    expect([await fleet.inState('ready'), (await fleet.snapshot()).addresses_free]).toEqual([[40], 1]);
    expect(fleet.eventsOf('vm-gone')).toMatchObject([{ vm: 41, text: 'VM 41 is gone: its address is held by VM 40' }]);
  });

  it('is gone if its host comes back without it', async () => {
    await using fleet = new FakeFleet({ isUp: false, addresses: 1, obeys: [] });
    for (const vm of [40, 41]) fleet.event(found(vm));
    const ids = async () => (await fleet.snapshot()).vms.map((vm) => vm.id_vmachine);
    fleet.event({ kind: 'host-up', vms: [40, 41] });
    expect(await ids()).toEqual([40, 41]);
    fleet.event({ kind: 'host-up', vms: [40] });
    expect(await ids()).toEqual([40]);
  });
});

describe('R8, a VM that nobody knows', () => {
  it('is released by its id when its host says that it is gone, once at a time', async () => {
    const writing = Promise.withResolvers<void>();
    const released: number[] = [];
    const release = (vm: number): Promise<void> => {
      released.push(vm);
      return writing.promise;
    };
    await using fleet = new FakeFleet({ release });
    fleet.gone(77);
    await fleet.settle();
    expect([released, fleet.eventsOf('vm-gone')]).toEqual([[77], []]);
    writing.resolve();
    await fleet.settle();
    expect((await fleet.snapshot()).addresses_free).toBe(10);
  });
});
