import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

/** A fleet whose VMs 1 to `count` were started for requests that are answered by now. */
async function grown(fleet: FakeFleet, count: number): Promise<readonly number[]> {
  const vms = Array.from({ length: count }, (_, index) => index + 1);
  for (const _ of vms) fleet.send();
  await fleet.settle();
  for (const vm of vms) fleet.reply(vm);
  await fleet.settle();
  for (const vm of vms) fleet.report(vm);
  await fleet.settle();
  return vms;
}

describe('R5', () => {
  it('drains and ends a VM after free_count idle reports in a row, down to the minimum', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 5 } });
    await fleet.settle();
    const vms = await grown(fleet, 3);
    await fleet.reporting(vms, 4);
    expect(await fleet.inState('ready')).toEqual([1, 2, 3]);
    await fleet.reporting(vms, 1);
    expect(await fleet.inState('ready')).toEqual([1]);
    expect(fleet.eventsOf('vm-drain').map((news) => [news.vm, news.rule, news.figures])).toEqual([
      [3, 'R5', { free_count: 5, ready: 3, min_vm_count: 1 }],
      [2, 'R5', { free_count: 5, ready: 2, min_vm_count: 1 }],
    ]);
    expect(await fleet.snapshot()).toMatchObject({ addresses_free: 9 });
  });

  it('goes down to nothing for a minimum of 0', async () => {
    await using fleet = new FakeFleet();
    await fleet.reporting(await grown(fleet, 2), 6);
    expect(await fleet.snapshot()).toMatchObject({ vms: [], addresses_free: 10 });
  });

  it('lets the longest idle go first', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 3 } });
    await fleet.settle();
    await grown(fleet, 2);
    await fleet.reporting([1], 2);
    await fleet.reporting([1, 2], 1);
    expect(fleet.eventsOf('vm-drain').map((news) => news.vm)).toEqual([1]);
  });

  it.each([
    ['load', { cpuPercent: 5 }],
    ['no sense', { cpuPercent: Number.NaN }],
    ['less than nothing', { cpuPercent: -1 }],
    ['a number of an older report', { seq: 1 }],
  ])('does not count a report that shows %s', async (what, figures) => {
    await using fleet = new FakeFleet({ params: { free_count: 3 } });
    await grown(fleet, 1);
    await fleet.reporting([1], 1);
    fleet.report(1, figures);
    await fleet.settle();
    expect(await fleet.row(1)).toMatchObject({ free_count: what === 'load' ? 0 : 1 });
  });

  it('counts a report as busy when a request came since the one before, though it has ended by now', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 2 } });
    await grown(fleet, 1);
    await fleet.reporting([1], 1);
    fleet.send();
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    fleet.report(1);
    await fleet.settle();
    expect(await fleet.row(1)).toMatchObject({ free_count: 0 });
  });

  it('spares a surplus VM that has just taken a request', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 2 } });
    await fleet.settle();
    await fleet.reporting(await grown(fleet, 1), 3);
    fleet.send();
    await fleet.settle();
    fleet.reply(1);
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 0, free_count: 2 }) });
    await fleet.advance(500);
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('does not count reports from before ready', async () => {
    await using fleet = new FakeFleet();
    fleet.links.autoReady = false;
    fleet.send({ withinMs: 500 });
    await fleet.settle();
    await fleet.reporting([1], 8);
    expect(await fleet.row(1)).toMatchObject({ state: 'booting', free_count: 0 });
  });

  it('ends a drained VM when what it works on has ended, and gives it no more', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    fleet.router.tell({ kind: 'drain-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    const next = fleet.send();
    await fleet.settle();
    expect([await fleet.inState('draining'), fleet.told('stop')]).toEqual([[1], []]);
    fleet.reply(1);
    await fleet.advance(50);
    expect([client.outcomes.length, fleet.told('stop')]).toEqual([1, [1]]);
    fleet.reply(2);
    await fleet.settle();
    expect(next.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('does not wait for work that was answered long ago', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, stuck_ms: 2_000 } });
    await fleet.settle();
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    fleet.router.tell({ kind: 'drain-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    await fleet.advance(2_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('repeats a stop that nothing answers', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare', 'start'] });
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    await fleet.advance(11_000);
    expect(fleet.commands.filter(({ kind, vm }) => kind === 'stop' && vm === 1)).toHaveLength(3);
  });
});
