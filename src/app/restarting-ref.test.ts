import { expect, it } from 'vitest';
import { testKit } from '../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../actors/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { RestartingRef } from './restarting-ref.ts';

/** An actor whose restart waits, and its ref. */
async function opened(kit: ReturnType<typeof testKit>, waitMs: number, stopMs = 0) {
  const seen: string[] = [];
  const lost: string[] = [];
  const behaviour: Behaviour<string> = (context) => {
    context.onStop(() => new Promise<void>((resolve) => kit.clock.timer(stopMs, resolve)));
    return (message) => {
      if (message === 'fail') throw new Error('a defect');
      seen.push(message);
    };
  };
  let ref: Ref<string> | undefined;
  const backOff = { minMs: waitMs, maxMs: waitMs, jitter: 0 };
  const spec = child<string>({ id: 'a', start: behaviour, backOff, onRef: (one) => (ref = one) });
  await kit.system.start(supervisor({ children: [spec] }));
  if (ref === undefined) throw new Error('it has started');
  return { seen, lost, ref: new RestartingRef(ref, kit.clock, (message) => lost.push(message)) };
}

it('a message that comes between two incarnations is kept for the next, in order', async () => {
  await using kit = testKit();
  const { seen, lost, ref } = await opened(kit, 100);
  expect(ref.tell('before')).toBe(true);
  ref.tell('fail');
  await kit.settle();
  for (const message of ['one', 'two']) expect(ref.tell(message)).toBe(true);
  await kit.advance(110);
  ref.tell('after');
  await kit.settle();
  expect([seen, lost]).toEqual([['before', 'one', 'two', 'after'], []]);
  expect(kit.system.deadLetters.count).toBe(0);
});

it('a message that comes while an incarnation still ends is kept for the next', async () => {
  await using kit = testKit();
  const { seen, lost, ref } = await opened(kit, 1, 100);
  ref.tell('fail');
  await kit.advance(50);
  ref.tell('one');
  await kit.advance(100);
  expect([seen, lost]).toEqual([['one'], []]);
  expect(kit.system.deadLetters.count).toBe(0);
});

it('a message for an actor that does not come back is given up', async () => {
  await using kit = testKit();
  const { seen, lost, ref } = await opened(kit, 60_000);
  ref.tell('fail');
  await kit.settle();
  ref.tell('one');
  await kit.advance(3_000);
  expect([seen, lost]).toEqual([[], ['one']]);
});
