import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../../kit/mod.ts';

describe('R1', () => {
  it('starts the minimum by itself, on the lowest addresses', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3 } });
    await fleet.settle();
    expect((await fleet.snapshot()).vms.map((vm) => [vm.address, vm.state])).toEqual([
      ['10.0.0.1:9000', 'ready'],
      ['10.0.0.2:9000', 'ready'],
      ['10.0.0.3:9000', 'ready'],
    ]);
    expect(fleet.eventsOf('vm-start').map((event) => [event.rule, event.figures])).toEqual([
      ['R1', { running: 0, min_vm_count: 3 }],
      ['R1', { running: 1, min_vm_count: 3 }],
      ['R1', { running: 2, min_vm_count: 3 }],
    ]);
  });

  it('restores the minimum ever after', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([2, 3]);
  });

  it('starts nothing for a minimum of 0', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 0 } });
    await fleet.advance(60_000);
    expect(fleet.commands).toEqual([]);
  });

  it('waits for a host to have told of what it adopted, and counts that', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, isUp: false });
    await fleet.advance(1_000);
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    const startedMs = fleet.kit.clock.now() - 60_000;
    fleet.event({ kind: 'vm-adopted', vm: 70, address, pid: 5, startedMs, state: 'answering' });
    fleet.answering(70);
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([]);
    fleet.event({ kind: 'host-up' });
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([1, 70]);
    expect(await fleet.row(70)).toMatchObject({ id_ip: 1, uptime_ms: 62_000 - 1_000 });
    expect(await fleet.row(1)).toMatchObject({ id_ip: 2 });
  });

  it('waits longer and longer for an image that keeps crashing', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare'] });
    await fleet.settle();
    const waits: number[] = [];
    for (let vm = 1; vm <= 6; vm++) {
      const fromMs = fleet.kit.clock.monotonic();
      fleet.gone(vm);
      while (fleet.told('prepare').length === vm) await fleet.advance(50);
      waits.push(fleet.kit.clock.monotonic() - fromMs);
    }
    expect(waits).toEqual([50, 250, 500, 1_000, 2_000, 4_000]);
  });

  it('replaces a VM at once that was sound for a while, whatever crashed before it', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    for (let vm = 1; vm <= 4; vm++) {
      fleet.gone(vm);
      await fleet.advance(2_000);
    }
    await fleet.reporting([5], 10);
    fleet.gone(5);
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('does not count as a crash what was meant to end', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const replyTo = { path: 'admin', tell: () => true };
    for (let vm = 1; vm <= 5; vm++) {
      fleet.router.tell({ kind: 'remove-vm', vm, replyTo });
      await fleet.settle();
    }
    expect(await fleet.inState('ready')).toEqual([6]);
  });

  it('starts nothing for a while when the store gives no id, and says so', async () => {
    let fails = true;
    await using fleet = new FakeFleet({
      params: { min_vm_count: 1 },
      nextVmId: () => {
        if (fails) throw new Error('disk full');
        return 9;
      },
    });
    await fleet.advance(900);
    expect(fleet.eventsOf('write-failed')).toHaveLength(1);
    fails = false;
    await fleet.advance(200);
    expect(fleet.told('prepare')).toEqual([9]);
  });

  it('does not count as a crash that a draining VM ended', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare', 'start'] });
    await fleet.settle();
    for (let vm = 1; vm <= 4; vm++) {
      fleet.send();
      await fleet.settle();
      fleet.router.tell({ kind: 'drain-vm', vm, replyTo: { path: 'admin', tell: () => true } });
      await fleet.settle();
      fleet.links.of(vm).open.length = 0;
      fleet.gone(vm);
      await fleet.settle();
      for (const link of fleet.links.byVm.values()) if (link.open.length > 0) fleet.reply(link.vm);
      await fleet.settle();
    }
    expect(await fleet.inState('ready')).toEqual([5]);
  });

  it('does not count as a crash that another program has an address', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['start'] });
    await fleet.settle();
    for (let vm = 1; vm <= 5; vm++) {
      fleet.gone(vm, 'taken', 'PORT_TAKEN');
      await fleet.settle();
    }
    expect(fleet.told('prepare')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('asks the store for an id once while it gives none', async () => {
    await using fleet = new FakeFleet({
      params: { min_vm_count: 5 },
      nextVmId: () => {
        throw new Error('disk full');
      },
    });
    await fleet.advance(950);
    expect(fleet.eventsOf('write-failed')).toHaveLength(1);
    await fleet.advance(200);
    expect(fleet.eventsOf('write-failed')).toHaveLength(2);
  });

  it('starts nothing while Shoal ends', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, addresses: 3 });
    await fleet.settle();
    fleet.send({ withinMs: 60_000 });
    await fleet.settle();
    // A request is in hand, so that the drain goes on.
    fleet.router.tell({ kind: 'drain', limitMs: 60_000, replyTo: { path: 'app', tell: () => true } });
    fleet.gone(2);
    await fleet.advance(5_000);
    expect(fleet.told('prepare')).toEqual([1, 2]);
  });

  it.each([
    ['a boot that is late', { boot_timeout_ms: 100, ip_reserve_ms: 60_000 }, ['prepare', 'stop'] as const],
    ['a reservation that lapses', { boot_timeout_ms: 50, ip_reserve_ms: 100 }, ['stop'] as const],
  ])('counts %s as a crash', async (_what, params, obeys) => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, ...params }, obeys });
    await fleet.settle();
    const startsMs: number[] = [];
    for (let vm = 1; vm <= 4; vm++) {
      while (fleet.told('prepare').length < vm) await fleet.advance(50);
      startsMs.push(fleet.kit.clock.monotonic());
    }
    const gapsMs = startsMs.slice(1).map((ms, index) => ms - (startsMs[index] ?? 0));
    // The back-off counts from the step that ends the VM.
    expect(gapsMs).toEqual([100, 350, 600]);
  });

  it('counts a VM that falls silent as a crash', async () => {
    const quick = { status_interval_ms: 10, last_connect_ms: 30, free_count: 1_000 };
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, ...quick } });
    await fleet.settle();
    for (let vm = 1; vm <= 2; vm++) {
      fleet.report(vm);
      while (!fleet.told('stop').includes(vm)) await fleet.advance(50);
    }
    await fleet.advance(200);
    expect(fleet.told('prepare')).toEqual([1, 2]);
    await fleet.advance(100);
    expect(fleet.told('prepare')).toEqual([1, 2, 3]);
  });

  it('replaces VMs at once that fall silent together, and their replacements with back-off', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, free_count: 1_000 } });
    await fleet.settle();
    for (const vm of [1, 2, 3]) fleet.report(vm);
    await fleet.advance(5_050);
    expect([fleet.told('stop'), fleet.told('prepare')]).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4, 5, 6],
    ]);
    for (const vm of [4, 5, 6]) fleet.report(vm);
    await fleet.advance(5_050);
    expect([fleet.told('stop').length, fleet.told('prepare').length]).toEqual([6, 6]);
    await fleet.advance(300);
    expect(fleet.told('prepare')).toHaveLength(9);
  });
});
