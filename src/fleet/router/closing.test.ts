import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';
import { running } from '../kit/running.ts';
import { makeParams } from '../values/params.ts';

const ok = { ok: true };

describe('the end of the server', () => {
  const drain = (fleet: FakeFleet, limitMs = 5_000) => {
    const told: true[] = [];
    const replyTo = { path: 'app', tell: (done: true) => told.push(done) > 0 };
    fleet.router.tell({ kind: 'drain', limitMs, replyTo });
    return told;
  };

  it('is told once when nothing is in hand, to each who asked', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    const told = [drain(fleet), drain(fleet)];
    const refused = fleet.send();
    await fleet.settle();
    expect(told).toEqual([[], []]);
    expect(refused.outcomes).toMatchObject([{ status: 503 }]);
    fleet.reply(1);
    await fleet.advance(10_000);
    expect(client.outcomes).toMatchObject([ok]);
    expect(told).toEqual([[true], [true]]);
  });

  it('waits for requests that wait, whose VM is still started', async () => {
    await using fleet = new FakeFleet({ obeys: ['prepare'] });
    const client = fleet.send();
    await fleet.settle();
    const told = drain(fleet);
    fleet.gone(1);
    fleet.obeys.add('start');
    await fleet.advance(1_000);
    fleet.reply(2);
    await fleet.settle();
    expect([client.outcomes, told]).toMatchObject([[ok], [true]]);
  });

  it.each(['expires', 'loses its link'])('is told when the last request %s', async (how) => {
    await using fleet = new FakeFleet({ idempotent: false });
    fleet.send({ withinMs: 1_000 });
    await fleet.settle();
    const told = drain(fleet, 60_000);
    if (how === 'expires') await fleet.advance(1_100);
    else fleet.dropLink(1);
    await fleet.settle();
    expect(told).toEqual([true]);
  });

  it('refuses at its limit what is left', async () => {
    await using fleet = new FakeFleet();
    const client = fleet.send();
    await fleet.settle();
    const told = drain(fleet, 1_000);
    await fleet.advance(1_000);
    expect(client.outcomes).toMatchObject([{ status: 503 }]);
    expect(told).toEqual([true]);
    expect(fleet.links.of(1).cancelled).toEqual(fleet.links.of(1).open.map(({ id }) => id));
  });

  it('that must not wait refuses at once what is in hand, and starts nothing for it', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    const client = fleet.send();
    await fleet.settle();
    const told = drain(fleet, 0);
    fleet.gone(1);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ status: 503, reason: 'shoal-stopping' }]);
    await fleet.advance(10_000);
    expect([told, fleet.told('prepare')]).toEqual([[true], [1]]);
  });

  it('has nothing more decided once it was told: whoever closes the router ends the VMs, or leaves them', async () => {
    await using fleet = await running();
    expect(drain(fleet)).toEqual([]);
    await fleet.advance(60_000);
    expect([fleet.told('stop'), fleet.links.pinged]).toEqual([[], []]);
  });

  it('starts nothing to make the minimum good, while a request is in hand', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 } });
    await fleet.settle();
    fleet.send({ withinMs: 60_000 });
    await fleet.settle();
    const told = drain(fleet, 60_000);
    fleet.gone(2);
    await fleet.advance(5_000);
    expect([fleet.told('prepare'), told]).toEqual([[1, 2], []]);
  });

  it('scales nothing down, replaces nothing and makes no spare', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 3, free_count: 2 } });
    await fleet.settle();
    fleet.send({ withinMs: 60_000 });
    await fleet.reporting([2, 3], 1);
    drain(fleet, 60_000);
    const params = makeParams({ min_vm_count: 1, free_count: 2, spare_vm_count: 2 });
    fleet.router.tell({ kind: 'params', params });
    fleet.router.tell({ kind: 'restart-vms', vms: [2], replyTo: { path: 'admin', tell: () => true } });
    await fleet.reporting([2, 3], 4);
    const three = [1, 2, 3];
    expect([await fleet.inState('ready'), fleet.told('prepare')]).toEqual([three, three]);
  });

  it('ejects nothing', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, vm_requests_max: 4 } });
    await fleet.settle();
    for (let n = 0; n < 4; n++) fleet.send({ retry: false });
    await fleet.settle();
    drain(fleet, 60_000);
    for (let n = 0; n < 3; n++) fleet.fail(1, 502);
    await fleet.advance(1_000);
    expect(fleet.eventsOf('vm-drain')).toEqual([]);
  });

  it('however it comes about leaves nobody without an answer', async () => {
    const fleet = new FakeFleet({ obeys: [] });
    const client = fleet.send();
    await fleet.settle();
    await fleet.kit.shutdown();
    expect(client.outcomes).toMatchObject([{ status: 503 }]);
  });

  it('that nobody asked for says so, and names the requests that VMs had, whose replies come too late', async () => {
    const answered: string[] = [];
    const orphanedReplies = {
      open: () => undefined,
      publish: () => undefined,
      answered: (id: string) => answered.push(id),
    };
    const fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1, vm_backlog_max: 0 }, orphanedReplies });
    await fleet.settle();
    const clients = [fleet.send({ requestId: 'with a VM' }), fleet.send({ requestId: 'waiting' })];
    await fleet.settle();
    await fleet.kit.shutdown();
    const message = 'the router has ended; send the request again';
    for (const { outcomes } of clients) expect(outcomes).toMatchObject([{ status: 503, message }]);
    expect(answered).toEqual(['with a VM']);
  });

  it("leaves every VM as it is once it is told: they are another one's to end", async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000 } });
    await fleet.settle();
    fleet.report(1);
    await fleet.settle();
    expect(drain(fleet)).toEqual([]);
    await fleet.advance(20_000);
    expect(fleet.told('stop')).toEqual([]);
  });
});
