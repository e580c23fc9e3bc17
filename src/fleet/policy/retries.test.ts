import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { running } from '../kit/running.ts';
import type { OpenRequest } from '../state/open-request.ts';
import { makeParams } from '../values/params.ts';
import type { Reaction } from './reaction.ts';
import { returnQueued, takeAllBack, takeBack, writeOff } from './retries.ts';

/** In short, what becomes of each request. */
function fates({ transitions, effects }: Reaction): readonly unknown[] {
  return [
    ...transitions.map(({ kind }) => kind).filter((kind) => kind === 'request-waits'),
    ...effects.map((effect) => (effect.kind === 'answer' && !effect.outcome.ok ? effect.outcome.status : effect.kind)),
  ];
}

const LOST = { reason: 'vm-lost', why: 'killed' } as const;

describe('R11, what a lost VM had', () => {
  it('counts no try of which nothing was sent: it is tried twice more', () => {
    const bare = new BareFleet().ready(1);
    let request: OpenRequest = bare.work(1);
    for (const sent of [false, true]) {
      const back = takeBack(bare.fleet, [request], LOST, 0, () => sent);
      expect(fates(back)).toEqual(['request-waits']);
      bare.apply(...back.transitions, { kind: 'request-left', request, nowMs: 0 });
      bare.apply({ kind: 'request-dispatched', request, vm: 1 });
    }
    request = bare.fleet.requests.get(request.frame) ?? request;
    expect(fates(takeBack(bare.fleet, [request], LOST, 0))).toEqual([502]);
  });

  it('is given up if nobody waits for it, and not tried again', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    bare.fleet.requests.end(request, { ok: false, status: 504, reason: 'expired-on-vm', message: 'late' });
    for (const sent of [true, false]) {
      expect(fates(takeBack(bare.fleet, [request], LOST, 0, () => sent))).toEqual(['forget']);
    }
  });
});

describe('R11, what another host handed to this one and a VM was lost with', () => {
  const onVm = (bare: BareFleet): OpenRequest => {
    const request = bare.fleet.requests.open(bare.newRequest({ isHanded: true }), bare.nowMs);
    bare.apply({ kind: 'request-dispatched', request, vm: 1 });
    return request;
  };

  it('goes back to that host, which counts the try, and is not tried again here', () => {
    const bare = new BareFleet().ready(1);
    const request = onVm(bare);
    const { transitions, effects } = takeBack(bare.fleet, [request], LOST, 0);
    expect(transitions.map(({ kind }) => kind)).toEqual(['request-left']);
    expect(effects).toMatchObject([
      { kind: 'answer-one', outcome: { status: 502, reason: 'vm-lost', vm: 1, mayBeTriedAgain: true } },
      { kind: 'forget' },
    ]);
  });

  it('is tried again for a client that has sent it here, too', () => {
    const bare = new BareFleet().ready(1);
    const request = onVm(bare);
    bare.fleet.requests.join(request, { path: 'own', tell: () => true }, 30_000);
    expect(fates(takeBack(bare.fleet, [request], LOST, 0))).toEqual(['request-waits', 'answer-one']);
  });

  it('stays here if nothing of it was sent, and ends if it may not be tried again', () => {
    const bare = new BareFleet().ready(1);
    const request = onVm(bare);
    expect(fates(takeBack(bare.fleet, [request], LOST, 0, () => false))).toEqual(['request-waits']);
    request.tries = 2;
    expect(fates(takeBack(bare.fleet, [request], LOST, 0))).toEqual([502]);
  });
});

describe('R6, what a silent VM was working on', () => {
  it('is at least its first vm_requests_max, also if they came while it was busy', () => {
    const bare = new BareFleet({ params: { vm_requests_max: 1 } }).ready(1);
    bare.work(1);
    bare.work(1);
    bare.apply({ kind: 'params', params: { ...bare.fleet.params, vmRequestsMax: 2 } });
    const vm = bare.fleet.vm(1);
    if (vm === undefined) throw new Error('VM 1 is ready');
    expect(fates(returnQueued(bare.fleet, vm, 'silent', 0))).toEqual([]);
    bare.later(10_000);
    expect(fates(takeAllBack(bare.fleet, vm, LOST, bare.nowMs, 'stuck'))).toEqual([502, 502]);
  });
});

describe('work that a guest no longer has', () => {
  it('is written off stuck_ms after its deadline, and not before', () => {
    const bare = new BareFleet({ params: { stuck_ms: 2_000 } }).ready(1);
    const request = bare.work(1, 1_000);
    bare.fleet.requests.end(request, { ok: false, status: 504, reason: 'expired-on-vm', message: 'late' });
    const vm = bare.fleet.vm(1);
    if (vm === undefined) throw new Error('VM 1 is ready');
    expect([500, 2_900, 3_100].map((ms) => fates(writeOff(bare.fleet, vm, ms)))).toEqual([[], [], ['forget']]);
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

describe('R6, the work of a silent VM', () => {
  it('goes elsewhere at once if it only stood in its queue', async () => {
    await using fleet = await running({ addresses: 1, params: { stuck_ms: 0 } });
    fleet.obeys.delete('stop');
    fleet.send({ withinMs: 1_000 });
    const queued = fleet.send();
    await fleet.settle();
    fleet.router.tell({ kind: 'add-addresses', addresses: [{ id: 2, ip: '10.0.0.2', port: 9_000 }] });
    await fleet.advance(6_000);
    expect(fleet.told('stop')).toEqual([1]);
    fleet.reply(2);
    await fleet.settle();
    expect(queued.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('is poison if the VM never printed a status line', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    fleet.obeys.delete('stop');
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: false, status: 502, message: expect.stringMatching(/^poison/) }]);
  });

  it.each([
    ['after one missing report', 1_900, []],
    ['after two', 2_000, [502]],
  ])('counts the VM as silent %s', async (_when, silentMs, statuses) => {
    await using fleet = await running({ params: { min_vm_count: 2 } });
    fleet.obeys.delete('stop');
    const client = fleet.send();
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    await fleet.advance(silentMs);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    expect(client.outcomes.map((outcome) => !outcome.ok && outcome.status)).toEqual(statuses);
  });

  it('is tried elsewhere without its queue if it was stuck', async () => {
    await using fleet = await running({ addresses: 1, params: { stuck_ms: 60_000 } });
    fleet.obeys.delete('stop');
    const clients = [fleet.send(), fleet.send(), fleet.send()];
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    await fleet.advance(3_000);
    fleet.gone(1, 'killed', undefined, 'stuck');
    await fleet.settle();
    for (let n = 0; n < 2; n++) {
      fleet.reply(2);
      await fleet.settle();
    }
    expect(clients.map(({ outcomes }) => outcomes)).toMatchObject([[{ status: 502 }], [{ ok: true }], [{ ok: true }]]);
  });

  it('is not written off while somebody waits for it, or before it is overdue', async () => {
    await using fleet = await running({ params: { stuck_ms: 1_000 } });
    const client = fleet.send({ withinMs: 2_000 });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.report(1);
      await fleet.advance(900);
      expect(await fleet.row(1)).toMatchObject({ in_flight: 1 });
    }
    expect(client.outcomes).toMatchObject([{ status: 504 }]);
    await fleet.advance(400);
    fleet.report(1);
    await fleet.settle();
    expect(await fleet.row(1)).toMatchObject({ in_flight: 0 });
  });

  it('is not written off while the guest has it in work', async () => {
    await using fleet = await running({ params: { stuck_ms: 0 } });
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    for (let n = 0; n < 3; n++) {
      fleet.report(1, { inFlight: 1 });
      await fleet.advance(1_000);
    }
    expect(await fleet.row(1)).toMatchObject({ in_flight: 1 });
  });

  it('is not written off if it is long overdue and a repeat of it waits still', () => {
    const bare = new BareFleet({ params: { stuck_ms: 0 } }).ready(1);
    const request = bare.work(1, 1_000);
    bare.later(5_000);
    expect(request.waiters).toHaveLength(1);
    const lost = writeOff(bare.fleet, mustHave(bare.fleet.vm(1)), bare.nowMs);
    expect(lost.transitions).toEqual([]);
    bare.fleet.requests.end(request, { ok: false, status: 504, reason: 'expired-on-vm', message: 'late' });
    expect(writeOff(bare.fleet, mustHave(bare.fleet.vm(1)), bare.nowMs).transitions).toHaveLength(1);
  });
});

function mustHave<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is there');
  return value;
}
