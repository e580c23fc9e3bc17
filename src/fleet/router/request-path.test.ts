import { describe, expect, it } from 'vitest';
import { systemClock } from '../../actors/mod.ts';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { admit } from '../policy/admission.ts';
import { onLinkRoom } from '../policy/on-link-event.ts';
import type { LinkMessage } from '../values/link-messages.ts';
import { RequestPath } from './request-path.ts';

const ok = { ok: true };

describe('a request', () => {
  it('goes to a VM that is free and is answered with what it says', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    fleet.reply(1, 'TEXT');
    await fleet.settle();
    expect(client.outcomes).toEqual([{ ok: true, payload: new TextEncoder().encode('TEXT'), vm: 1, host: 'here' }]);
  });

  it('waits where nothing runs until R3 has started a VM: min_vm_count 0 is scale to zero', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 0 } });
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([]);
    const client = fleet.send();
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
  });

  it('is served in the order in which it came', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    for (const requestId of ['a', 'b', 'c']) fleet.send({ requestId, op: requestId });
    await fleet.settle();
    const served: string[] = [];
    for (let n = 0; n < 3; n++) {
      served.push(fleet.reply(1).op);
      await fleet.settle();
    }
    expect(served).toEqual(['a', 'b', 'c']);
  });

  it('waits behind those that wait already, though a VM would take it', () => {
    const bare = new BareFleet({ addresses: 1, params: { vm_backlog_max: 4 } }).ready(1);
    bare.work(1);
    expect(admit(bare.fleet, bare.newRequest(), 0)).toMatchObject({ kind: 'dispatch', rule: 'R4' });
    expect(admit(bare.wait(1).fleet, bare.newRequest(), 0)).toMatchObject({ kind: 'wait' });
  });

  it('never overtakes those that wait already', async () => {
    await using fleet = new FakeFleet({ addresses: 2 });
    fleet.send({ op: 'first' });
    await fleet.settle();
    fleet.obeys.delete('start');
    fleet.send({ op: 'second' });
    await fleet.settle();
    // With the VM to come gone, both may fall back on the first VM now.
    fleet.gone(2, 'taken', 'PORT_TAKEN');
    fleet.send({ op: 'third' });
    await fleet.settle();
    expect(fleet.links.of(1).open.map((request) => request.op)).toEqual(['first', 'second', 'third']);
  });

  it('that is refused because too many wait says so with the figure', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0, router_queue_max: 1 } });
    const clients = [fleet.send(), fleet.send(), fleet.send()];
    await fleet.settle();
    expect(clients.map((client) => client.outcomes.length)).toEqual([0, 0, 1]);
    expect(clients[2]?.outcomes).toMatchObject([
      { ok: false, status: 503, message: expect.stringContaining('router_queue_max 1') },
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'with the deadline %s is refused, and harms nobody',
    async (deadlineMs) => {
      await using fleet = new FakeFleet();
      const client = fleet.send({ deadlineMs });
      await fleet.settle();
      expect(client.outcomes).toMatchObject([{ ok: false, status: 400 }]);
      expect(fleet.kit.failures).toEqual([]);
    },
  );
});

describe('a deadline', () => {
  it('costs no timer of its own', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const before = fleet.kit.clock.pending;
    for (let n = 0; n < 100; n++) fleet.send();
    await fleet.settle();
    expect(fleet.kit.clock.pending).toBe(before);
  });

  it('that has passed already is told at once', async () => {
    await using fleet = new FakeFleet();
    const client = fleet.send({ withinMs: 0 });
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ status: 504 }]);
    expect(fleet.told('prepare')).toEqual([]);
  });

  it('ends a request that waits', async () => {
    await using fleet = new FakeFleet({ obeys: [] });
    const client = fleet.send({ withinMs: 1_000 });
    await fleet.advance(1_100);
    expect(client.outcomes).toMatchObject([{ status: 504 }]);
    expect(await fleet.snapshot()).toMatchObject({ waiting: 0 });
  });

  it('ends a request in work: the guest is asked to stop and stays busy until it has', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    const late = fleet.send({ withinMs: 1_000 });
    const next = fleet.send();
    await fleet.advance(1_100);
    expect(late.outcomes).toMatchObject([{ status: 504, vm: 1 }]);
    expect(fleet.links.of(1).cancelled).toHaveLength(1);
    expect(await fleet.row(1)).toMatchObject({ in_flight: 1 });
    fleet.reply(1);
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect([late.outcomes.length, next.outcomes]).toMatchObject([1, [ok]]);
    expect(await fleet.row(1)).toMatchObject({ in_flight: 0 });
  });

  it('is looked at once more before a request leaves the line', async () => {
    await using fleet = new FakeFleet({ obeys: ['prepare', 'start'] });
    fleet.links.autoReady = false;
    await fleet.advance(45);
    const client = fleet.send({ withinMs: 3 });
    await fleet.advance(4);
    fleet.linkReady(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ status: 504 }]);
    expect(fleet.links.of(1).open).toEqual([]);
  });
});

describe('R11, a link that is lost', () => {
  it('has what it did not send tried again, on any image', async () => {
    await using fleet = new FakeFleet({ addresses: 1, idempotent: false });
    const client = fleet.send({ retry: false });
    await fleet.settle();
    fleet.dropLink(1, 1);
    fleet.linkReady(1);
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
  });

  it('has what it sent tried once more if the image is idempotent, and then no more', async () => {
    await using fleet = new FakeFleet({ addresses: 1 });
    const client = fleet.send();
    await fleet.settle();
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.settle();
    expect(client.outcomes).toEqual([]);
    fleet.dropLink(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: false, status: 502, vm: 1 }]);
  });

  it.each([
    ['the image is not idempotent', false, true],
    ['its client wants no second try', true, false],
  ])('ends what it sent if %s', async (_why, idempotent, retry) => {
    await using fleet = new FakeFleet({ addresses: 1, idempotent });
    const client = fleet.send({ retry });
    await fleet.settle();
    fleet.dropLink(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: false, status: 502 }]);
  });

  it('keeps the order of those that go back to the line', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_requests_max: 3 } });
    for (const op of ['a', 'b', 'c', 'd']) fleet.send({ op });
    await fleet.settle();
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.settle();
    expect(fleet.links.of(1).open.map((request) => request.op)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves what crossed the news of its loss to the link, which tells that it was not sent', async () => {
    await using fleet = new FakeFleet({ addresses: 1, idempotent: false, params: { vm_requests_max: 2 } });
    const first = fleet.send();
    await fleet.settle();
    // The router dispatches it before it reads of the loss, which has happened by then.
    const crossed = fleet.send();
    fleet.dropLink(1);
    await fleet.settle();
    fleet.linkReady(1);
    await fleet.settle();
    expect([first.outcomes, crossed.outcomes]).toMatchObject([[{ status: 502 }], []]);
    fleet.reply(1);
    await fleet.settle();
    expect(crossed.outcomes).toMatchObject([ok]);
  });

  it('takes a late reply for an earlier try for none', async () => {
    await using fleet = new FakeFleet({ addresses: 1 });
    const client = fleet.send();
    await fleet.settle();
    const id = fleet.links.of(1).open[0]?.id ?? 0;
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.settle();
    fleet.links.of(1).owner.tell({ kind: 'link-reply', vm: 1, id, payload: new Uint8Array(0) });
    await fleet.settle();
    expect(client.outcomes).toEqual([]);
    expect(await fleet.row(1)).toMatchObject({ in_flight: 1 });
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toHaveLength(1);
  });

  it('is opened anew when its actor fails, and again if it cannot start', async () => {
    await using fleet = new FakeFleet({ addresses: 1 });
    const client = fleet.send();
    await fleet.settle();
    fleet.links.failing = 1;
    fleet.links.failLink(1);
    await fleet.advance(2_000);
    expect(client.outcomes).toEqual([]);
    fleet.links.failing = undefined;
    await fleet.advance(10_000);
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
  });
});

describe('a link that takes nothing more', () => {
  it('gets no request: nothing of it was sent, so that it is tried again on any image', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 }, idempotent: false });
    await fleet.settle();
    // The actor of the link has failed by the time at which the router reads the request, and that is news yet to come.
    fleet.links.failLink(1);
    const client = fleet.send({ retry: false });
    await fleet.settle();
    expect([client.outcomes, await fleet.snapshot()]).toMatchObject([[], { waiting: 1 }]);
    await fleet.advance(1_000);
    fleet.reply(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
  });
});

describe('an answer', () => {
  it('is none if another VM gives it', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    const id = fleet.links.of(1).open[0]?.id ?? 0;
    fleet.links.of(2).owner.tell({ kind: 'link-reply', vm: 2, id, payload: new Uint8Array(0) });
    await fleet.settle();
    expect([client.outcomes, await fleet.row(1)]).toMatchObject([[], { in_flight: 1 }]);
  });

  it('that is an error frees its VM for the next in line at once', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    for (let n = 0; n < 2; n++) fleet.send();
    await fleet.settle();
    expect(await fleet.snapshot()).toMatchObject({ waiting: 1 });
    fleet.fail(1, 400);
    expect(await fleet.snapshot()).toMatchObject({ waiting: 0 });
  });

  it('is counted for each client that waited for it', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect((await fleet.snapshot()).requests).toMatchObject({ accepted: 3, ok: 3, routed: { R2: 1, R11: 2 } });
  });
});

describe('a VM that goes', () => {
  it('has its requests tried on another', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 2 }]);
  });

  it('while it boots leaves the request in the line, and R3 starts another', async () => {
    await using fleet = new FakeFleet({ obeys: ['prepare'] });
    const client = fleet.send();
    await fleet.settle();
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.told('prepare')).toEqual([1, 2]);
    expect(client.outcomes).toEqual([]);
    expect(await fleet.snapshot()).toMatchObject({ waiting: 1 });
  });
});

describe('R11, a repeat', () => {
  it('joins the first while that is open; each is told once', async () => {
    await using fleet = new FakeFleet();
    const first = fleet.send({ requestId: 'x' });
    const second = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect(fleet.links.of(1).open).toHaveLength(1);
    fleet.reply(1);
    await fleet.settle();
    expect([first.outcomes, second.outcomes]).toMatchObject([[ok], [ok]]);
  });

  it('gets the stored reply within dedup_ms, and is worked on anew after that', async () => {
    await using fleet = new FakeFleet({ params: { dedup_ms: 1_000 } });
    fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.reply(1, 'ONE');
    await fleet.advance(500);
    const soon = fleet.send({ requestId: 'x' });
    await fleet.advance(600);
    expect(soon.outcomes).toMatchObject([ok]);
    const later = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect(later.outcomes).toEqual([]);
    fleet.reply(1);
    await fleet.settle();
    expect(later.outcomes).toMatchObject([ok]);
  });

  it.each([503, 504, 499] as const)('is tried anew after a %i, which was of the moment', async (status) => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const first = fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.fail(1, status);
    await fleet.settle();
    const again = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect([first.outcomes, again.outcomes]).toMatchObject([[{ status }], []]);
    fleet.reply(1);
    await fleet.settle();
    expect(again.outcomes).toMatchObject([ok]);
  });

  it.each([400, 501, 502] as const)('gets a %i again, which would be the same', async (status) => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.fail(1, status);
    await fleet.settle();
    const again = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect(again.outcomes).toMatchObject([{ ok: false, status }]);
  });

  it('keeps the work going that its first sender gave up', async () => {
    await using fleet = new FakeFleet();
    const first = fleet.send({ requestId: 'x', withinMs: 1_000 });
    const second = fleet.send({ requestId: 'x', withinMs: 5_000 });
    await fleet.advance(1_500);
    expect(first.outcomes).toMatchObject([{ status: 504 }]);
    expect(fleet.links.of(1).cancelled).toEqual([]);
    fleet.reply(1);
    await fleet.settle();
    expect(second.outcomes).toMatchObject([ok]);
    expect(first.outcomes).toHaveLength(1);
  });

  it('gets what its client was told, whatever becomes of an earlier try that nobody waits for', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    fleet.send({ requestId: 'x', withinMs: 1_000 });
    await fleet.advance(1_100);
    const second = fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.reply(2);
    fleet.fail(1, 502);
    await fleet.settle();
    const third = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect([second.outcomes, third.outcomes]).toMatchObject([[{ ok: true, vm: 2 }], [{ ok: true, vm: 2 }]]);
  });

  it('keeps a request in the line that its first sender gave up', async () => {
    await using fleet = new FakeFleet({ obeys: ['prepare'] });
    fleet.send({ requestId: 'x', withinMs: 1_000 });
    const second = fleet.send({ requestId: 'x', withinMs: 5_000 });
    await fleet.advance(1_500);
    fleet.answering(1);
    await fleet.settle();
    fleet.reply(1);
    await fleet.settle();
    expect(second.outcomes).toMatchObject([ok]);
  });

  it('of an id that stands for another request gets nothing of that one', async () => {
    await using fleet = new FakeFleet();
    fleet.send({ requestId: '1', op: 'upper' });
    const other = fleet.send({ requestId: '1', op: 'lower' });
    await fleet.settle();
    expect(other.outcomes).toMatchObject([{ status: 400 }]);
  });
});

describe('a request that the link of its VM does not take', () => {
  it('waits until the link has room: that is no fault of the VM, and no try', () => {
    const bare = new BareFleet({ params: { vm_requests_max: 2 } }).ready(1);
    const told: LinkMessage[] = [];
    let hasRoom = false;
    const links = { tell: (_vm: number, message: LinkMessage) => hasRoom && told.push(message) > 0 };
    const path = new RequestPath(bare.fleet, links, systemClock, {}, () => undefined);
    path.accept(bare.newRequest(), 0);
    path.accept(bare.newRequest(), 0);
    expect(bare.fleet.vm(1)).toMatchObject({ linked: true, faults: 0, linkDownMs: undefined, inFlight: 0 });
    expect([bare.fleet.requests.waiting, bare.fleet.freeVm, bare.fleet.leastLoaded]).toEqual([2, undefined, undefined]);
    hasRoom = true;
    bare.apply(...onLinkRoom(bare.fleet, 1).transitions);
    path.serveWaiting(0);
    expect([bare.fleet.requests.waiting, told.length]).toEqual([0, 2]);
    expect([...(bare.fleet.vm(1)?.requests ?? [])].map(({ tries }) => tries)).toEqual([1, 1]);
    expect(onLinkRoom(bare.fleet, 1)).toEqual({ transitions: [], effects: [] });
  });
});
