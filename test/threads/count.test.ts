import { expect, it } from 'vitest';
import type { Ref } from '../../src/actors/mod.ts';
import type { CountedMessage, Step } from './counted.ts';
import { counted } from './counted.ts';
import { countedSystem } from './counted-system.ts';

const tellOnce = (to: Ref<CountedMessage>): Step => ({ to, times: 1, how: 'tell' });

it('a relay on a shard passes all of a flood on', async () => {
  await using one = countedSystem(1);
  const relay = await one.placed('relay');
  const sink = one.system.spawn(counted(one.counts));
  for (let n = 0; n < 30_000; n++) one.tell(relay, { steps: [tellOnce(sink)] });
  await one.settled({ sent: 60_000 });
  expect(one.totals).toEqual({ sent: 60_000, refused: 0, handled: 60_000, deadLetters: 0 });
});

it('what was offered is handled, however small the mailboxes are', async () => {
  await using one = countedSystem(2);
  const first = await one.placed('first', { capacity: 10 });
  const second = await one.placed('second', { capacity: 10 });
  const sink = one.system.spawn(counted(one.counts), { capacity: 10 });
  const route: readonly Step[] = [
    { to: second, times: 1, how: 'offer' },
    { to: sink, times: 1, how: 'offer' },
  ];
  for (let n = 0; n < 5_000; n++) await one.offer(first, { steps: route });
  await one.settled({ sent: 15_000 });
  expect(one.totals).toEqual({ sent: 15_000, refused: 0, handled: 15_000, deadLetters: 0 });
});

it('an actor that is told more than can wait for another thread is told so, and each message is counted', async () => {
  await using one = countedSystem(1);
  const source = await one.placed('source');
  const sink = one.system.spawn(counted(one.counts));
  // All in one turn of the source, while the main thread takes none.
  one.tell(source, { steps: [{ to: sink, times: 100_000, how: 'tell' }] });
  await one.settled({ sent: 100_001 });
  const { refused, deadLetters } = one.totals;
  expect(refused).toBeGreaterThan(0);
  expect(deadLetters).toBe(refused);
  // Few are told one by one, and the others by number.
  expect(one.letters.length).toBeLessThan(1_000);
});

it('a ring of actors on different threads goes on though all of its mailboxes are full', async () => {
  await using one = countedSystem(2);
  const ring = await Promise.all(['a', 'b', 'c'].map((name) => one.placed(name, { capacity: 50 })));
  const [a, b, c] = ring;
  if (a === undefined || b === undefined || c === undefined) throw new Error('there are three');
  for (const how of ['tell', 'offer'] as const) {
    const round = [b, c, a].map((to): Step => ({ to, times: 1, how }));
    const steps = Array.from({ length: 20 }, () => round).flat();
    for (let n = 0; n < 1_000; n++) one.tell(a, { steps });
    await one.settled({ sent: one.totals.sent + 50 * 60 });
  }
  const { sent, refused, deadLetters } = one.totals;
  // The proxy of `a` has room for 50 in one turn. What is under way is never lost.
  expect({ refused, deadLetters }).toEqual({ refused: 1_900, deadLetters: 1_900 });
  expect(sent).toBe(2_000 + 2 * 50 * 60);
});

it.each(['exit', 'throw'] as const)('what a thread has said before its end arrives (%s)', async (fault) => {
  await using one = countedSystem(1);
  const relay = await one.placed('relay');
  const sink = one.system.spawn(counted(one.counts));
  for (let n = 1; n <= 100; n++) {
    one.tell(relay, n === 50 ? { steps: [], fault } : { steps: [tellOnce(sink)] });
  }
  await one.system.ended(relay);
  await one.settled();
  // Messages to the thread are told as lost, and none from it.
  expect(one.letters.map(({ from }) => from)).toEqual(one.letters.map(() => '-'));
  expect(one.totals.handled).toBeGreaterThanOrEqual(50 + 49);
});

it('an actor that says much and ends its thread in the same turn is heard', async () => {
  await using one = countedSystem(1);
  const last = await one.placed('last');
  const sink = one.system.spawn(counted(one.counts));
  one.tell(last, { steps: [{ to: sink, times: 20_000, how: 'tell' }], fault: 'last-words' });
  await one.settled({ sent: 20_001 });
  expect(one.totals).toEqual({ sent: 20_001, refused: 0, handled: 20_001, deadLetters: 0 });
});

it('what a thread said that was ended from outside is told as dead letters, if it cannot be heard', async () => {
  await using one = countedSystem(2);
  const [lost, other] = [await one.placed('lost'), await one.placed('other')];
  const endless: Step = { to: other, times: 1_000_000, how: 'tell' };
  one.tell(lost, { steps: [endless] });
  // Messages arrive while it still sends.
  while (one.totals.handled < 2) await new Promise(setImmediate);
  one.shards.replace(0, 'a test');
  await one.system.ended(lost);
  // It was sending one, perhaps.
  await one.settled({ slack: 1 });
  expect(one.totals.sent).toBeLessThan(1_000_001);
});
