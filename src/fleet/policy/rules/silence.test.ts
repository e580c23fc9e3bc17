import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../../kit/mod.ts';
import { makeParams } from '../../values/params.ts';

/** VM 1 is ready and has reported. */
async function running(options: ConstructorParameters<typeof FakeFleet>[0] = {}): Promise<FakeFleet> {
  const fleet = new FakeFleet({ ...options, params: { min_vm_count: 1, free_count: 1_000, ...options.params } });
  await fleet.settle();
  fleet.report(1);
  await fleet.settle();
  return fleet;
}

describe('R6', () => {
  it('ends and replaces a VM that nothing is heard of for last_connect_ms', async () => {
    await using fleet = await running();
    await fleet.advance(4_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([
      { vm: 1, rule: 'R6', figures: { silent_ms: 5_000, last_connect_ms: 5_000, in_flight: 0 } },
    ]);
    expect(await fleet.inState('ready')).toEqual([2]);
  });

  it('lets a guest be silent while it computes, and for as long again when it is done', async () => {
    await using fleet = await running();
    fleet.send();
    await fleet.advance(20_000);
    fleet.reply(1);
    await fleet.advance(4_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('ends a silent VM as stuck once its oldest request is past its deadline plus stuck_ms', async () => {
    await using fleet = await running({ params: { stuck_ms: 3_000 } });
    fleet.send({ withinMs: 6_000 });
    await fleet.advance(8_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([
      { vm: 1, rule: 'R6', figures: { in_flight: 1, stuck_ms: 3_000 } },
    ]);
    expect(fleet.eventsOf('vm-stop')[0]?.text).toContain('silent for 9000 ms over a request');
  });

  it('lets a VM compute past every deadline as long as it is heard of', async () => {
    await using fleet = await running({ params: { stuck_ms: 0 } });
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    for (let n = 0; n < 20; n++) {
      fleet.report(1, { cpuPercent: 100, inFlight: 1 });
      await fleet.advance(1_000);
    }
    expect(fleet.told('stop')).toEqual([]);
  });

  it('does not try elsewhere what a VM got stuck over (poison), but what only stood in its queue', async () => {
    await using fleet = await running({ addresses: 1, params: { stuck_ms: 1_000 } });
    const first = fleet.send({ withinMs: 9_000 });
    const queued = fleet.send({ withinMs: 60_000 });
    fleet.obeys.delete('stop');
    await fleet.advance(10_100);
    expect(first.outcomes).toMatchObject([{ status: 504 }]);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(queued.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('tells a client that still waits for what a VM got stuck over: 502, poison; and a repeat of it too', async () => {
    await using fleet = await running({ addresses: 1, params: { stuck_ms: 0, vm_requests_max: 2 } });
    fleet.send({ withinMs: 1_000 });
    const beside = fleet.send({ requestId: 'beside' });
    fleet.obeys.delete('stop');
    await fleet.advance(5_100);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(beside.outcomes).toMatchObject([{ ok: false, status: 502, message: expect.stringMatching(/^poison/) }]);
    const again = fleet.send({ requestId: 'beside' });
    await fleet.settle();
    expect(again.outcomes).toMatchObject([{ status: 502 }]);
  });

  it('rules by boot_timeout_ms before ready, and before the first status line', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    fleet.links.autoReady = false;
    await fleet.settle();
    fleet.linkReady(2);
    await fleet.advance(9_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop').map((news) => [news.vm, news.rule, news.figures])).toEqual([
      [1, 'R6', { booting_ms: 10_000, boot_timeout_ms: 10_000 }],
      [2, 'R6', { booting_ms: 10_000, boot_timeout_ms: 10_000 }],
    ]);
  });

  it('ends nobody because our own process stood still', async () => {
    await using fleet = await running();
    await fleet.advance(3_000);
    fleet.stall(60_000);
    await fleet.advance(1_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('judges a VM by the interval that it was started with', async () => {
    await using fleet = await running();
    const quick = { min_vm_count: 1, status_interval_ms: 100, last_connect_ms: 300 };
    fleet.router.tell({ kind: 'params', params: makeParams(quick) });
    await fleet.advance(2_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('gives up what a guest has no longer in work and nobody waits for', async () => {
    await using fleet = await running({ params: { stuck_ms: 1_000 } });
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    for (let n = 0; n < 4; n++) {
      fleet.report(1, { inFlight: 0 });
      await fleet.advance(1_000);
    }
    expect(await fleet.row(1)).toMatchObject({ in_flight: 0, state: 'ready' });
  });
});

describe('R6, a host out of reach', () => {
  it('has VMs of which nothing is known: no requests, no capacity, their addresses kept', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-down', host: 'here', why: 'link lost' });
    const client = fleet.send();
    await fleet.advance(60_000 - 30_500);
    expect(await fleet.snapshot()).toMatchObject({ vms: [{ state: 'unknown' }], addresses_free: 9, waiting: 1 });
    expect([fleet.told('stop'), fleet.told('prepare')]).toEqual([[], [1]]);
    fleet.event({ kind: 'host-up', host: 'here', vms: [1] });
    await fleet.settle();
    fleet.reply(1);
    await fleet.advance(4_900);
    expect(client.outcomes).toMatchObject([{ ok: true }]);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('has as much time when it is back as it had when it went', async () => {
    await using fleet = await running();
    await fleet.advance(3_000);
    fleet.event({ kind: 'host-down', host: 'here', why: 'link lost' });
    await fleet.advance(60_000);
    fleet.event({ kind: 'host-up', host: 'here', vms: [1] });
    await fleet.advance(1_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('may be silent a little later than its VMs: they are judged as of when it was heard', async () => {
    await using fleet = await running();
    await fleet.advance(900);
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.advance(60_000);
    expect([fleet.eventsOf('host-down').length, fleet.told('stop')]).toEqual([1, []]);
  });

  it('is one that told of itself and does so no more', async () => {
    await using fleet = await running();
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: 1e10, vmBytes: 1e6 });
    fleet.report(1);
    await fleet.advance(5_100);
    expect(fleet.eventsOf('host-down')).toMatchObject([{ host: 'here', rule: 'R6' }]);
    expect(fleet.told('stop')).toEqual([]);
    fleet.event({ kind: 'host-stats', host: 'here', availableBytes: 1e10, vmBytes: 1e6 });
    await fleet.settle();
    expect(await fleet.inState('ready')).toEqual([1]);
  });

  it('comes back without a VM: that one is gone, and its request tried elsewhere', async () => {
    await using fleet = await running();
    const client = fleet.send();
    await fleet.settle();
    fleet.event({ kind: 'host-down', host: 'here', why: 'gone' });
    await fleet.advance(1_000);
    fleet.event({ kind: 'host-up', host: 'here', vms: [] });
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });
});

describe('R6, poison', () => {
  const admin = { path: 'admin', tell: () => true };

  it('is known by the verdict of the host, also if the link of the VM is lost before', async () => {
    await using fleet = await running({ params: { stuck_ms: 0, min_vm_count: 2, vm_requests_max: 2 } });
    fleet.obeys.delete('stop');
    fleet.send({ withinMs: 1_000 });
    const beside = fleet.send();
    await fleet.advance(6_000);
    expect(fleet.told('stop')).toEqual([1]);
    fleet.dropLink(1);
    await fleet.settle();
    expect(beside.outcomes).toEqual([]);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(beside.outcomes).toMatchObject([{ ok: false, status: 502, message: expect.stringMatching(/^poison/) }]);
  });

  it('is none if the VM was merely dead: its work is tried elsewhere', async () => {
    await using fleet = await running({ params: { stuck_ms: 0, min_vm_count: 2, vm_requests_max: 2 } });
    fleet.obeys.delete('stop');
    fleet.send({ withinMs: 1_000 });
    const beside = fleet.send();
    await fleet.advance(6_000);
    fleet.dropLink(1);
    fleet.gone(1, 'killed', undefined, 'dead');
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(beside.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('spreads neither when an administrator removes the VM', async () => {
    await using fleet = await running({ params: { min_vm_count: 2 } });
    fleet.obeys.delete('stop');
    const client = fleet.send();
    await fleet.advance(3_000);
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: admin });
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: false, status: 502 }]);
  });

  it('is none on a VM that was heard of all along: it was only busy when it was removed', async () => {
    await using fleet = await running({ params: { min_vm_count: 2 } });
    fleet.obeys.delete('stop');
    const client = fleet.send();
    await fleet.settle();
    fleet.report(1, { cpuPercent: 100, inFlight: 1 });
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: admin });
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('is all that the VM was given while it was free, though vm_requests_max was lowered since', async () => {
    await using fleet = await running({ params: { stuck_ms: 0, vm_requests_max: 3 } });
    fleet.obeys.delete('stop');
    const clients = [fleet.send({ withinMs: 1_000 }), fleet.send(), fleet.send()];
    await fleet.settle();
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 1, stuck_ms: 0, vm_requests_max: 1 }) });
    await fleet.advance(6_000);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(clients.map(({ outcomes }) => outcomes.map((one) => !one.ok && one.status))).toEqual([[504], [502], [502]]);
  });

  it('is not put off by repeats of the request that the VM is stuck over', async () => {
    await using fleet = await running({ params: { stuck_ms: 1_000 } });
    fleet.send({ requestId: 'x', withinMs: 5_000 });
    for (let second = 0; second < 6; second++) {
      await fleet.advance(1_000);
      fleet.send({ requestId: 'x', withinMs: 5_000 });
    }
    await fleet.advance(300);
    expect(fleet.told('stop')).toEqual([1]);
  });
});

describe('R6, a VM whose console is broken', () => {
  it('is asked over its link, and not ended while it answers', async () => {
    await using fleet = await running();
    fleet.links.ponging.add(1);
    await fleet.advance(60_000);
    expect(fleet.told('stop')).toEqual([]);
    expect(fleet.links.pinged.length).toBeGreaterThan(5);
    fleet.links.ponging.delete(1);
    await fleet.advance(5_100);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('is asked once, in time for the limit to hold', async () => {
    await using fleet = await running();
    await fleet.advance(5_100);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[1], [1]]);
  });
});
