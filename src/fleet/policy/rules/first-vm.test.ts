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
    expect(fleet.eventsOf('vm-start').map((news) => [news.rule, news.figures])).toEqual([
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
    const { address } = { address: { id: 1, ip: '10.0.0.1', port: 9_000 } };
    const startedMs = fleet.kit.clock.now() - 60_000;
    fleet.event({ kind: 'vm-adopted', host: 'here', vm: 70, address, pid: 5, startedMs, state: 'answering' });
    fleet.answering(70);
    await fleet.advance(1_000);
    expect(fleet.told('prepare')).toEqual([]);
    fleet.event({ kind: 'host-up', host: 'here' });
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([70, 1]);
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
});
