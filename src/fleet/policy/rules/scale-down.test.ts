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
    expect(fleet.eventsOf('vm-drain').map((event) => [event.vm, event.rule, event.figures])).toEqual([
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

  it('lets the VM that is idle for longest go first, also if it is the older one', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, free_count: 3 } });
    await fleet.settle();
    await fleet.reporting([1], 2);
    await fleet.reporting([1, 2], 4);
    expect(await fleet.inState('ready')).toEqual([1, 2]);
    // Both are surplus by now, and one may go.
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 1, free_count: 3 }) });
    await fleet.settle();
    expect(fleet.eventsOf('vm-drain').map((event) => event.vm)).toEqual([1]);
  });

  it('lets the youngest of those go first that are idle for equally long', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, free_count: 3 } });
    await fleet.settle();
    await fleet.reporting([1, 2, 3], 4);
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 2, free_count: 3 }) });
    await fleet.settle();
    expect(fleet.eventsOf('vm-drain').map((event) => event.vm)).toEqual([3]);
  });

  it('keeps a VM whose reports show load, though the router counts nothing: it is used over HTTP', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 2 } });
    await grown(fleet, 1);
    for (let n = 0; n < 10; n++) {
      fleet.report(1, { inFlight: 1 });
      await fleet.advance(1_000);
    }
    expect([await fleet.inState('ready'), (await fleet.row(1))?.free_count]).toEqual([[1], 0]);
  });

  it('keeps a VM that works on a request, though its reports show no load', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 2, stuck_ms: 60_000 } });
    fleet.send({ withinMs: 60_000 });
    await fleet.settle();
    await fleet.reporting([1], 10);
    expect(await fleet.row(1)).toMatchObject({ state: 'ready', in_flight: 1, free_count: 0 });
  });

  it('counts reports only once that were held up and come together', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 5 } });
    await fleet.settle();
    const vms = await grown(fleet, 3);
    fleet.stall(60_000);
    for (let n = 0; n < 6; n++) for (const vm of vms) fleet.report(vm);
    await fleet.advance(100);
    expect([await fleet.inState('ready'), (await fleet.row(3))?.free_count]).toEqual([[1, 2, 3], 1]);
  });

  it('counts a report that comes a little early', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 100 } });
    await grown(fleet, 1);
    for (let n = 0; n < 4; n++) {
      fleet.report(1);
      await fleet.advance(800);
    }
    expect(await fleet.row(1)).toMatchObject({ free_count: 4 });
  });

  it('does not take a VM for one of the minimum whose link is down', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 3 } });
    await fleet.settle();
    const vms = await grown(fleet, 2);
    fleet.dropLink(1);
    await fleet.reporting(vms, 4);
    expect(await fleet.inState('ready')).toEqual([1, 2]);
    fleet.send();
    await fleet.settle();
    expect([fleet.links.of(2).open.length, (await fleet.snapshot()).waiting]).toEqual([1, 0]);
  });

  it('does not drain a VM that was given a request between its reports', async () => {
    await using fleet = new FakeFleet({ params: { free_count: 2 } });
    await grown(fleet, 1);
    await fleet.reporting([1], 1);
    fleet.report(1);
    const client = fleet.send();
    fleet.report(1);
    await fleet.settle();
    expect([await fleet.inState('ready'), client.outcomes]).toEqual([[1], []]);
  });

  it.each([
    ['load', { cpuPercent: 5 }],
    ['no sense', { cpuPercent: Number.NaN }],
    ['less than nothing', { cpuPercent: -1 }],
    ['more than all of the CPU', { cpuPercent: 101 }],
    ['a negative count', { served: -1 }],
    ['a part of a request', { inFlight: 0.5 }],
    ['a number of an older report', { seq: 1 }],
    ['the number of the report before', { seq: 2 }],
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
    expect(fleet.commands.filter((command) => command.kind === 'stop' && command.vm === 1)).toHaveLength(3);
  });

  it('sends no stop to a host that is out of reach', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare', 'start'] });
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.advance(20_000);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('repeats a stop after 5 s, neither sooner nor more often', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare', 'start'] });
    await fleet.settle();
    const replyTo = { path: 'admin', tell: () => true };
    for (let n = 0; n < 3; n++) fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo });
    await fleet.advance(4_900);
    expect([fleet.told('stop'), fleet.eventsOf('vm-stop').length]).toEqual([[1], 1]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1, 1]);
    await fleet.advance(4_700);
    expect(fleet.told('stop')).toEqual([1, 1]);
  });

  it('repeats a stop that an earlier Shoal has sent', async () => {
    await using fleet = new FakeFleet({ obeys: [], isUp: false });
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    fleet.event({ kind: 'vm-adopted', vm: 50, address, pid: 7, startedMs: 0, state: 'stopping' });
    fleet.event({ kind: 'host-up', vms: [50] });
    await fleet.advance(4_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([50]);
  });
});
