import { expect, it } from 'vitest';
import { FakeFleet } from './kit/mod.ts';

it('a reply that a guest kept is no second answer, also to a request whose id we made', async () => {
  const published: string[] = [];
  const late = { open: () => ({ requestId: 'made' }), publish: () => void published.push('again') };
  await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, late });
  await fleet.settle();
  const client = fleet.send({ requestId: 'made', idIsMade: true });
  await fleet.settle();
  const first = [1, 2].find((vm) => fleet.links.of(vm).open.length > 0) ?? 0;
  const second = 3 - first;
  fleet.dropLink(first);
  await fleet.settle();
  fleet.reply(second);
  await fleet.settle();
  expect(client.outcomes).toMatchObject([{ ok: true, vm: second }]);
  const { token } = client.request;
  fleet.links.of(first).owner.tell({ kind: 'link-kept', vm: first, token, ok: true, payload: new Uint8Array(1) });
  await fleet.settle();
  expect(published).toEqual([]);
});
