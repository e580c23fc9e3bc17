/** A supervisor may end and restart a child from within that child's own handler, by a call instead of a message. */
import { expect, it } from 'vitest';
import { type TestKit, testKit } from './kit/mod.ts';
import type { Context, Receive, Ref } from './mod.ts';

interface Family {
  readonly child: Ref<string>;
  readonly parent: Context<never>;
}

/** A child whose first incarnation runs `during` at the message `go`. Later incarnations record their messages. */
function family(kit: TestKit, seen: string[], during: (family: Family) => void | Promise<void>): Ref<string> {
  const made: Family[] = [];
  let incarnations = 0;
  kit.system.spawn<never>((parent) => {
    const child = parent.spawn<string>((): Receive<string> => {
      incarnations += 1;
      if (incarnations > 1) return (message) => void seen.push(message);
      return () => made.map(during)[0];
    });
    made.push({ child, parent });
    return () => undefined;
  });
  // It was just spawned.
  return (made[0] as Family).child;
}

it('a stop of the next incarnation within the turn of the last one is heard', async () => {
  await using kit = testKit();
  const seen: string[] = [];
  const child = family(kit, seen, ({ child: own, parent }) => {
    void parent.stop(own, 0);
    void parent.restart(own);
    void parent.stop(own);
    own.tell('late');
  });
  child.tell('go');
  await kit.settle();
  expect(seen).toEqual([]);
  expect(kit.system.tree().children[0]?.children).toEqual([]);
  expect(kit.system.deadLetters.latest()).toMatchObject([{ message: 'late' }]);
});

it('mail of the next incarnation is handled, though the handler of the last one is still at it', async () => {
  await using kit = testKit();
  const seen: string[] = [];
  const child = family(kit, seen, async ({ child: own, parent }) => {
    void parent.stop(own, 0);
    void parent.restart(own);
    own.tell('for the next');
    await new Promise(() => undefined);
  });
  child.tell('go');
  await kit.settle();
  expect(seen).toEqual(['for the next']);
});
