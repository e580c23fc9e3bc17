import { expect, it } from 'vitest';
import { DeadLetters } from './dead-letters.ts';
import { testKit } from './kit/mod.ts';
import type { DeadLetter, Ref } from './mod.ts';

/** A kit whose hook tells an auditor of each dead letter, in its own way. */
async function audited(tell: (auditor: Ref<unknown>, letter: DeadLetter) => void) {
  let auditor: Ref<unknown> | undefined;
  const told: DeadLetter[] = [];
  const kit = testKit({
    onDeadLetter: (letter) => {
      told.push(letter);
      if (auditor !== undefined && told.length < 1_000) tell(auditor, letter);
    },
  });
  auditor = kit.system.spawn<unknown>(() => () => undefined);
  await kit.system.stop(auditor);
  return { kit, auditor, told };
}

it('the hook is not told of dead letters that it makes itself', async () => {
  const { kit, auditor, told } = await audited((to, letter) => void to.tell({ letter }));
  await using _ = kit;
  auditor.tell('x');
  expect(told).toMatchObject([{ message: 'x' }]);
  expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'x' }, { message: { letter: { message: 'x' } } }]);
  auditor.tell('y');
  expect(told).toMatchObject([{ message: 'x' }, { message: 'y' }]);
});

it('a dead letter that it passes on a moment later, to nobody, is not told again', async () => {
  const { kit, auditor, told } = await audited((to, letter) => queueMicrotask(() => void to.tell(letter)));
  await using _ = kit;
  auditor.tell('x');
  await kit.settle();
  expect(told).toMatchObject([{ message: 'x' }]);
  expect(kit.system.deadLetters.count).toBe(2);
});

it('a hook that ends an actor whose mailbox makes room leaves no message in it', async () => {
  const handled: number[] = [];
  let end = (): void => undefined;
  await using kit = testKit({ onDeadLetter: () => end() });
  const ref = kit.system.spawn<number>(() => (n) => void handled.push(n), { capacity: 1, overflow: 'drop-oldest' });
  end = () => void kit.system.stop(ref);
  expect([ref.tell(1), ref.tell(2)]).toEqual([true, false]);
  await kit.settle();
  expect([handled, kit.system.deadLetters.latest().map(({ message, why }) => [message, why])]).toEqual([
    [],
    [
      [1, 'dropped'],
      [2, 'stopped'],
    ],
  ]);
});

it('a dead letter that stands for many counts as many, and the latest are kept', () => {
  const letters = new DeadLetters({ keepMax: 2 });
  for (const count of [1, 5, 2]) letters.add({ from: '-', to: '/x', message: count, why: 'lost', count });
  expect(letters.count).toBe(8);
  expect(letters.latest().map(({ message }) => message)).toEqual([5, 2]);
});
