import { describe, expect, it } from 'vitest';
import { type FakeClient, FakeFleet } from '../kit/mod.ts';

const ok = { ok: true };

it('a reply that a guest kept is no second answer, also to a request whose id we made', async () => {
  const published: string[] = [];
  const orphanedReplies = { open: () => ({ requestId: 'made' }), publish: () => void published.push('again') };
  await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, orphanedReplies });
  await fleet.settle();
  const client = fleet.send({ requestId: 'made', isIdGenerated: true });
  await fleet.settle();
  const first = [1, 2].find((vm) => fleet.links.of(vm).open.length > 0) ?? 0;
  const second = 3 - first;
  fleet.dropLink(first);
  await fleet.settle();
  fleet.reply(second);
  await fleet.settle();
  expect(client.outcomes).toMatchObject([{ ok: true, vm: second }]);
  const { token } = client.request;
  fleet.links
    .of(first)
    .owner.tell({ kind: 'link-orphaned-reply', vm: first, token, ok: true, payload: new Uint8Array(1) });
  await fleet.settle();
  expect(published).toEqual([]);
});

/** The port, as the application has it; every token is the one of request `x`. */
function latePort() {
  const published: string[] = [];
  const ids = new Set<string>();
  return {
    published,
    orphanedReplies: {
      open: () => ({ requestId: 'x' }),
      publish: () => void published.push('again'),
      answered: (id: string) => void ids.add(id),
      hasAnswered: (id: string) => ids.has(id),
    },
  };
}

function sendKept(fleet: FakeFleet, vm: number, { request: { token } }: FakeClient): Promise<void> {
  fleet.links.of(vm).owner.tell({ kind: 'link-orphaned-reply', vm, token, ok: true, payload: new Uint8Array(1) });
  return fleet.settle();
}

describe.each([false, true])('a kept reply to a request that has ended (id made by us: %j)', (isIdGenerated) => {
  it('by its deadline, while it waited for another try, is no second answer', async () => {
    const { published, orphanedReplies } = latePort();
    await using fleet = new FakeFleet({ addresses: 1, orphanedReplies });
    const client = fleet.send({ requestId: 'x', isIdGenerated, withinMs: 1_000 });
    await fleet.settle();
    fleet.dropLink(1);
    await fleet.advance(1_500);
    expect(client.outcomes).toMatchObject([{ ok: false, status: 504 }]);
    fleet.linkReady(1);
    await sendKept(fleet, 1, client);
    expect(published).toEqual([]);
  });

  it('by its deadline, while a VM worked on it whose link was lost then, is no second answer', async () => {
    const { published, orphanedReplies } = latePort();
    await using fleet = new FakeFleet({ addresses: 1, orphanedReplies });
    const client = fleet.send({ requestId: 'x', isIdGenerated, withinMs: 1_000 });
    await fleet.settle();
    await fleet.advance(1_500);
    expect(client.outcomes).toMatchObject([{ ok: false, status: 504 }]);
    fleet.dropLink(1);
    fleet.linkReady(1);
    await sendKept(fleet, 1, client);
    expect(published).toEqual([]);
  });

  it.each([503, 499] as const)('with %i by another VM is no second answer', async (status) => {
    const { published, orphanedReplies } = latePort();
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, orphanedReplies });
    await fleet.settle();
    const client = fleet.send({ requestId: 'x', isIdGenerated });
    await fleet.settle();
    const first = [1, 2].find((vm) => fleet.links.of(vm).open.length > 0) ?? 0;
    fleet.dropLink(first);
    await fleet.settle();
    fleet.fail(3 - first, status);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ok: false, status }]);
    await sendKept(fleet, first, client);
    expect(published).toEqual([]);
  });

  it('by another VM, longer ago than replies are remembered, is no second answer', async () => {
    const { published, orphanedReplies } = latePort();
    await using fleet = new FakeFleet({ params: { min_vm_count: 2, dedup_ms: 1_000 }, orphanedReplies });
    await fleet.settle();
    const client = fleet.send({ requestId: 'x', isIdGenerated });
    await fleet.settle();
    const first = [1, 2].find((vm) => fleet.links.of(vm).open.length > 0) ?? 0;
    fleet.dropLink(first);
    await fleet.settle();
    fleet.reply(3 - first);
    await fleet.advance(2_000);
    expect(client.outcomes).toMatchObject([{ ok: true, vm: 3 - first }]);
    await sendKept(fleet, first, client);
    expect(published).toEqual([]);
  });
});

it('a kept reply to a request that has ended answers one that was sent again under its id, once', async () => {
  const { published, orphanedReplies } = latePort();
  await using fleet = new FakeFleet({ addresses: 1, orphanedReplies });
  const client = fleet.send({ requestId: 'x', withinMs: 1_000 });
  await fleet.settle();
  fleet.dropLink(1);
  await fleet.advance(1_500);
  const again = fleet.send({ requestId: 'x', withinMs: 10_000 });
  await fleet.settle();
  fleet.linkReady(1);
  await sendKept(fleet, 1, client);
  await sendKept(fleet, 1, client);
  expect([client.outcomes, again.outcomes]).toMatchObject([[{ status: 504 }], [{ ok: true, vm: 1 }]]);
  expect(published).toEqual([]);
});

describe('R11, a reply that a guest kept', () => {
  const late = () => {
    const published: unknown[] = [];
    const open = (token: Uint8Array) => (token[0] === 1 ? { requestId: 'x' } : undefined);
    return {
      published,
      port: { open, publish: (_token: Uint8Array, outcome: unknown) => void published.push(outcome) },
    };
  };
  const kept = (token: number, ok = true, text = 'KEPT') =>
    ({
      kind: 'link-orphaned-reply',
      vm: 1,
      token: Uint8Array.of(token),
      ok,
      payload: new TextEncoder().encode(text),
    }) as const;

  it('goes to whom its token names, after the Shoal that asked is gone', async () => {
    const { published, port } = late();
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, orphanedReplies: port });
    await fleet.settle();
    fleet.router.tell(kept(1));
    fleet.router.tell(kept(2));
    await fleet.settle();
    expect(published).toMatchObject([ok]);
  });

  it.each([false, true])('ends the request that is being tried again, once (id made: %j)', async (isIdGenerated) => {
    const { published, port } = late();
    await using fleet = new FakeFleet({ addresses: 1, orphanedReplies: port });
    const client = fleet.send({ requestId: 'x', isIdGenerated });
    await fleet.settle();
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.settle();
    fleet.router.tell(kept(1));
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
    expect(fleet.links.of(1).cancelled).toEqual([fleet.links.of(1).open[0]?.id]);
    fleet.reply(1);
    fleet.router.tell(kept(1));
    await fleet.settle();
    expect(client.outcomes).toMatchObject([ok]);
    expect(published).toEqual([]);
  });

  it('leaves nothing to try again, whatever becomes of the other try', async () => {
    const { port } = late();
    await using fleet = new FakeFleet({ addresses: 1, orphanedReplies: port });
    const client = fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.settle();
    fleet.router.tell(kept(1));
    fleet.dropLink(1, 1);
    fleet.linkReady(1);
    await fleet.settle();
    expect([client.outcomes, fleet.links.of(1).open]).toMatchObject([[ok], []]);
    const again = fleet.send({ requestId: 'x' });
    await fleet.settle();
    expect(again.outcomes).toMatchObject([ok]);
  });

  it('is nobody\u2019s second answer as long as its id is remembered, which is dedup_ms', async () => {
    const { published, port } = late();
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, dedup_ms: 1_000 }, orphanedReplies: port });
    await fleet.settle();
    fleet.send({ requestId: 'x' });
    await fleet.settle();
    fleet.reply(1);
    await fleet.advance(500);
    fleet.router.tell(kept(1));
    await fleet.advance(1_000);
    expect(published).toEqual([]);
    fleet.router.tell(kept(1));
    await fleet.settle();
    expect(published).toMatchObject([ok]);
  });

  it('that is an error carries its status', async () => {
    const { published, port } = late();
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, orphanedReplies: port });
    await fleet.settle();
    fleet.router.tell(kept(1, false, '413 too large'));
    await fleet.settle();
    expect(published).toMatchObject([{ ok: false, status: 413, message: 'too large', vm: 1 }]);
  });
});
