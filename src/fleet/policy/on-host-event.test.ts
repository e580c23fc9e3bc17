import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

const admin = { path: 'admin', tell: () => true };
const prepared = { kind: 'vm-prepared', host: 'here', vm: 1, pid: 5 } as const;

describe('the news of a host', () => {
  it('that a VM is prepared changes nothing when it comes again', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event(prepared);
    await fleet.settle();
    expect([fleet.told('start'), fleet.eventsOf('vm-prepared').length]).toEqual([[1], 1]);
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('that a spare is prepared does not let it run, also if its reservation is durable by then', async () => {
    await using fleet = new FakeFleet({ params: { spare_vm_count: 1 }, obeys: [] });
    await fleet.settle();
    fleet.event(prepared);
    await fleet.settle();
    expect([await fleet.inState('prepared'), fleet.told('start')]).toEqual([[1], []]);
  });

  it('that a VM answers opens one link, and none to a VM that is to stop', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, obeys: ['prepare'] });
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: admin });
    for (const vm of [1, 2, 2]) fleet.answering(vm);
    await fleet.settle();
    expect(fleet.links.started).toEqual([2]);
    expect(fleet.kit.failures).toEqual([]);
  });

  it('that a VM is gone closes its link', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    expect(fleet.links.ended).toEqual([]);
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.links.ended).toEqual([1]);
  });

  it('that a VM is gone that was meant to go says why it was, and not how it ended', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: admin });
    await fleet.settle();
    fleet.gone(2, 'crashed');
    await fleet.settle();
    expect(fleet.eventsOf('vm-gone').map(({ text }) => text)).toEqual([
      'VM 1 is gone: an administrator removes it',
      'VM 2 is gone: crashed',
    ]);
  });
});
