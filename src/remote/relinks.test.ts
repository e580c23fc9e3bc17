import { expect, it } from 'vitest';
import { RELINKED } from './mod.ts';
import { type EchoMessage, echo, FakeGroup } from './testing/fixture.ts';

/** Two hosts, and an actor of the second that the first sends to. */
async function pair() {
  const group = new FakeGroup();
  const [a, b] = [group.host('a'), group.host('b')];
  const notes: unknown[] = [];
  b.hosts.expose('echo', b.system.spawn(echo(notes), { name: 'echo' }));
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  await group.advance(100);
  const kinds = (): string[] => a.events.map(({ kind }) => kind);
  return { group, a, b, far, notes, kinds };
}

it('what is on its way over a link that is given up never arrives; the other is lost, and back, once there is a connection', async () => {
  const { group, a, far, notes, kinds } = await pair();
  group.network.copies = () => 0;
  far.tell({ kind: 'note', value: 1 });
  await group.settle();
  group.network.copies = () => 1;
  a.hosts.relink('b');
  a.port.setConnected(false);
  await group.advance(1_000);
  expect(kinds()).toEqual(['host-up']);
  a.port.setConnected(true);
  await group.advance(2_000);
  expect(kinds()).toEqual(['host-up', 'host-lost', 'host-up']);
  expect(a.events[1]).toMatchObject({ error: { details: { why: RELINKED } } });
  await group.advance(20_000);
  expect(notes).toEqual([]);
});

it('a link that was made anew meanwhile stays, and so does one to a host that is not known', async () => {
  const { group, a, b, kinds } = await pair();
  a.hosts.relink('b');
  a.hosts.relink('nobody');
  // The other is lost, and back, before the connection is lost.
  b.pause();
  await group.advance(5_000);
  b.resume();
  await group.advance(5_000);
  expect(kinds()).toEqual(['host-up', 'host-lost', 'host-up']);
  a.port.setConnected(false);
  await group.advance(100);
  a.port.setConnected(true);
  await group.advance(5_000);
  expect(kinds()).toEqual(['host-up', 'host-lost', 'host-up']);
});
