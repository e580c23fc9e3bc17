import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { running } from '../../kit/running.ts';
import { makeParams } from '../../values/params.ts';

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

  it('counts each boot from when the CPU was started, whatever became of other VMs', () => {
    const bare = new BareFleet().booting(1).prepared(2).later(5_000);
    bare.apply({ kind: 'vm-booting', vm: 2, nowMs: bare.nowMs });
    expect(bare.later(5_000).decisions()).toEqual(['R6 stop 1']);
  });

  it('rules by boot_timeout_ms before ready, and before the first status line', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    fleet.links.autoReady = false;
    await fleet.settle();
    fleet.linkReady(2);
    await fleet.advance(9_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop').map((event) => [event.vm, event.rule, event.figures])).toEqual([
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

describe('R6 leaves a pause of ours out', () => {
  it('of a boot', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: ['prepare'] });
    await fleet.advance(1_000);
    fleet.stall(60_000);
    await fleet.advance(8_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([{ vm: 1, figures: { booting_ms: 10_000 } }]);
  });

  it('of when the host was heard, also if its figures come before our next look', async () => {
    await using fleet = await running();
    const stats = { kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 } as const;
    fleet.event(stats);
    await fleet.settle();
    fleet.stall(60_000);
    fleet.event(stats);
    await fleet.advance(3_000);
    expect(fleet.eventsOf('host-down')).toEqual([]);
    await fleet.advance(3_000);
    expect([fleet.eventsOf('host-down').length, fleet.told('stop')]).toEqual([1, []]);
  });

  it('of the time that an idle VM was idle', async () => {
    await using fleet = await running();
    fleet.send();
    await fleet.advance(10_000);
    fleet.reply(1);
    await fleet.advance(1_000);
    fleet.stall(60_000);
    await fleet.advance(3_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });
});

describe('R6, who is watched', () => {
  it('is a draining VM that falls silent over its work', async () => {
    await using fleet = await running({ params: { stuck_ms: 60_000 } });
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    fleet.router.tell({ kind: 'drain-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    fleet.router.tell({ kind: 'params', params: makeParams({ min_vm_count: 0, stuck_ms: 5_000 }) });
    await fleet.advance(5_900);
    expect(fleet.told('stop')).toEqual([]);
    await fleet.advance(200);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([{ vm: 1, rule: 'R6', figures: { in_flight: 1 } }]);
  });

  it('is a draining VM that never reported, from boot_timeout_ms on and once its work is overdue', () => {
    const bare = new BareFleet({ params: { stuck_ms: 2_000 } }).mute(1);
    bare.work(1, 12_000);
    bare.work(1, 60_000);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: false });
    expect(bare.later(12_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 ask 1']);
    bare.apply({ kind: 'vm-asked', vm: 1, nowMs: bare.nowMs });
    expect(bare.later(999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 stop 1']);
  });

  it('is no VM that computes, whatever else it does not say: it is not even asked', async () => {
    await using fleet = await running();
    fleet.send({ withinMs: 60_000 });
    await fleet.advance(30_000);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[], []]);
  });

  it('is a VM that became ready while its host was away, and was never heard of', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    fleet.links.autoReady = false;
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'link lost' });
    await fleet.advance(60_000);
    fleet.linkReady(1);
    await fleet.settle();
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.advance(9_900);
    expect([await fleet.inState('ready'), fleet.told('stop')]).toEqual([[1], []]);
    await fleet.advance(200);
    expect(fleet.told('stop')).toEqual([1]);
  });
});

describe('R6, when a VM is asked', () => {
  const slow = { status_interval_ms: 500, last_connect_ms: 1_500 };

  it('is half of its limit before the limit, if that is sooner than a second', async () => {
    await using fleet = await running({ params: slow });
    const quick = { min_vm_count: 1, status_interval_ms: 100, last_connect_ms: 300, free_count: 1_000 };
    fleet.router.tell({ kind: 'params', params: makeParams(quick) });
    await fleet.advance(700);
    expect(fleet.links.pinged).toEqual([]);
    await fleet.advance(100);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[1], []]);
    await fleet.advance(800);
    expect(fleet.told('stop')).toEqual([1]);
  });

  it('is not before its limit if its link has come back meanwhile', async () => {
    await using fleet = await running();
    fleet.dropLink(1);
    await fleet.advance(4_700);
    expect(fleet.links.pinged).toEqual([]);
    // Its guest has answered on it: the VM has its whole limit again.
    fleet.linkReady(1);
    await fleet.advance(3_900);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[], []]);
    await fleet.advance(1_200);
    expect([fleet.links.pinged, fleet.told('stop')]).toEqual([[1], [1]]);
  });

  it('is never while its link is down, and it has its whole limit', () => {
    const bare = new BareFleet({ params: { free_count: 1_000 } }).ready(1).link(1, false).later(4_999);
    expect(bare.decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 stop 1']);
  });

  it('is never while its link is down, and its work has its whole time', () => {
    const bare = new BareFleet({ params: { stuck_ms: 2_000 } }).ready(1);
    bare.work(1, 10_000);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: false }).link(1, false);
    expect(bare.later(11_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 stop 1']);
  });

  it('is one second before its work is overdue', () => {
    const bare = new BareFleet({ params: { free_count: 1_000, stuck_ms: 2_000 } }).ready(1);
    bare.work(1, 10_000);
    expect(bare.later(10_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 ask 1']);
  });

  it('is one second before boot_timeout_ms if it has not printed a status line', () => {
    const bare = new BareFleet().mute(1).later(8_999);
    expect(bare.decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 ask 1']);
    bare.apply({ kind: 'vm-asked', vm: 1, nowMs: bare.nowMs });
    expect(bare.later(999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 stop 1']);
  });

  it('is half of boot_timeout_ms before it, if that is sooner than a second', () => {
    const bare = new BareFleet({ params: { boot_timeout_ms: 1_000 } }).mute(1).later(499);
    expect(bare.decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 ask 1']);
  });

  it('matters to one that has printed no status line: it goes on, whatever its lease, and is asked again', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    fleet.links.ponging.add(1);
    await fleet.advance(30_000);
    expect([fleet.told('stop'), await fleet.inState('ready')]).toEqual([[], [1]]);
    expect(fleet.links.pinged.length).toBeGreaterThan(2);
    fleet.links.ponging.delete(1);
    await fleet.advance(5_100);
    expect(fleet.told('stop')).toEqual([1]);
    expect(fleet.eventsOf('vm-stop')).toMatchObject([{ vm: 1, rule: 'R6' }]);
  });

  it('does not matter to one that was not asked and has printed no status line', () => {
    const bare = new BareFleet().mute(1).later(5_000).apply({ kind: 'vm-heard', vm: 1, nowMs: 5_000 });
    expect([...bare.fleet.heard]).toEqual([]);
    expect(bare.later(4_000).decisions()).toEqual(['R6 ask 1']);
  });

  it('is not while it waits for an answer, though its reservation has lapsed meanwhile', () => {
    const bare = new BareFleet({ params: { ip_reserve_ms: 10_500 } }).preparing(1).later(1_600);
    bare.apply({ kind: 'vm-durable', vm: 1 }, { kind: 'vm-prepared', vm: 1, pid: 1, imageDigest: 'x' });
    bare.apply({ kind: 'vm-booting', vm: 1, nowMs: bare.nowMs }).link(1, true);
    expect(bare.later(9_950).decisions()).toEqual(['R6 ask 1']);
    bare.apply({ kind: 'vm-asked', vm: 1, nowMs: bare.nowMs });
    expect(bare.later(900).decisions()).toEqual([]);
  });
});
