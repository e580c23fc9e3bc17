import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

/** Which VM each of some requests went to that are not answered. */
async function places(fleet: FakeFleet, vms: readonly number[]): Promise<readonly number[]> {
  await fleet.settle();
  return vms.map((vm) => fleet.links.of(vm).open.length);
}

describe('R2', () => {
  it('fills the VM with the most in flight, ties to the oldest', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, vm_requests_max: 4 } });
    await fleet.settle();
    for (let n = 0; n < 6; n++) fleet.send();
    expect(await places(fleet, [1, 2, 3])).toEqual([4, 2, 0]);
  });

  it('takes the one with the fewest when routing is spread', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, vm_requests_max: 4 }, routing: 'spread' });
    await fleet.settle();
    for (let n = 0; n < 7; n++) fleet.send();
    expect(await places(fleet, [1, 2, 3])).toEqual([3, 2, 2]);
  });

  it('follows vm_requests_max while running', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    for (let n = 0; n < 4; n++) fleet.send();
    expect(await places(fleet, [1])).toEqual([1]);
    fleet.router.tell({ kind: 'params', params: makeParams({ vm_requests_max: 3, vm_backlog_max: 0 }) });
    expect(await places(fleet, [1])).toEqual([3]);
  });
});

describe('R2, a VM that fails', () => {
  const params = { min_vm_count: 4, vm_requests_max: 4, last_connect_ms: 60_000 };

  it('is drained and replaced after three 5xx in a row', async () => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.send();
      await fleet.settle();
      fleet.fail(1, 502);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toMatchObject([{ vm: 1, rule: 'R2', figures: { faults: 3 } }]);
    expect(await fleet.inState('ready')).toEqual([2, 3, 4, 5]);
  });

  it.each([
    ['a sound reply comes between', (fleet: FakeFleet) => fleet.reply(1)],
    ['the request was at fault', (fleet: FakeFleet) => fleet.fail(1, 400)],
  ])('stays if %s', async (_what, between) => {
    await using fleet = new FakeFleet({ params });
    await fleet.settle();
    for (let n = 0; n < 6; n++) {
      fleet.send();
      await fleet.settle();
      if (n % 3 === 2) between(fleet);
      else fleet.fail(1, 503);
      await fleet.settle();
    }
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it('is drained after its link was lost three times, or stays down', async () => {
    await using fleet = new FakeFleet({ params: { ...params, last_connect_ms: 5_000, boot_timeout_ms: 14_000 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.dropLink(1);
      fleet.linkReady(1);
    }
    fleet.dropLink(2);
    await fleet.settle();
    expect(fleet.eventsOf('vm-drain').map((news) => news.vm)).toEqual([1]);
    await fleet.advance(5_100);
    expect(fleet.eventsOf('vm-drain').map((news) => [news.vm, news.rule])).toEqual([
      [1, 'R2'],
      [2, 'R2'],
    ]);
  });

  it('stays while half of the fleet is being replaced', async () => {
    await using fleet = new FakeFleet({ params, addresses: 4, obeys: ['prepare', 'start'] });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      for (const vm of [1, 2, 3, 4]) fleet.dropLink(vm);
      for (const vm of [1, 2, 3, 4]) fleet.linkReady(vm);
    }
    await fleet.advance(1_000);
    expect(fleet.eventsOf('vm-drain').map((news) => [news.vm, news.figures])).toEqual([
      [1, { faults: 3, link_down_ms: 0, ejected_max: 2 }],
      [2, { faults: 3, link_down_ms: 0, ejected_max: 2 }],
    ]);
    expect(await fleet.inState('ready')).toEqual([3, 4]);
  });

  it('that is the only one is replaced too', async () => {
    await using fleet = new FakeFleet({ params: { ...params, min_vm_count: 1 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.send();
      await fleet.settle();
      fleet.fail(1, 504);
      await fleet.settle();
    }
    expect(await fleet.inState('ready')).toEqual([2]);
  });
});
