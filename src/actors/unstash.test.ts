import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Context } from './mod.ts';

type Message = number | 'one' | 'some' | 'all' | 'broken' | 'odd';

/** Puts numbers aside until it is told to take some back. */
function gate(kit: ReturnType<typeof testKit>, seen: Message[]) {
  const open: Partial<Record<Message, (context: Context<Message>) => void>> = {
    one: (context) => context.unstash(1),
    some: (context) => context.unstash(2, (message) => (typeof message === 'number' ? message * 10 : message)),
    all: (context) => context.unstash(Number.POSITIVE_INFINITY),
    broken: (context) =>
      context.unstash(9, () => {
        throw new Error('no message');
      }),
    odd: (context) => context.unstash(1.5),
  };
  return kit.system.spawn<Message>(
    (context) => {
      let toTake = 0;
      return (message) => {
        const unstash = open[message];
        if (unstash !== undefined) {
          toTake = message === 'one' ? 1 : message === 'some' ? 2 : 9;
          unstash(context);
        } else if (toTake > 0) {
          toTake -= 1;
          seen.push(message);
        } else context.stash(message);
      };
    },
    { name: 'gate' },
  );
}

describe('unstash', () => {
  it('puts the oldest back, before all that wait, and leaves the others aside', async () => {
    await using kit = testKit();
    const seen: Message[] = [];
    const ref = gate(kit, seen);
    for (const message of [1, 2, 3, 4, 'one', 5] as const) ref.tell(message);
    await kit.settle();
    expect(seen).toEqual([1]);
    ref.tell('all');
    await kit.settle();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('puts each back as the function returns it', async () => {
    await using kit = testKit();
    const seen: Message[] = [];
    const ref = gate(kit, seen);
    for (const message of [1, 2, 3, 'some'] as const) ref.tell(message);
    await kit.settle();
    expect(seen).toEqual([10, 20]);
  });

  it('loses none if the function throws: all stay aside, and are dead letters at the end', async () => {
    await using kit = testKit();
    const ref = gate(kit, []);
    for (const message of [1, 2, 'broken'] as const) ref.tell(message);
    await kit.settle();
    expect(kit.failures).toMatchObject([{ error: { message: 'no message' } }]);
    expect(kit.system.deadLetters.latest().map(({ message }) => message)).toEqual([1, 2]);
  });

  it('refuses a count that is none', async () => {
    await using kit = testKit();
    gate(kit, []).tell('odd');
    await kit.settle();
    expect(kit.failures).toMatchObject([{ error: { code: 'CONFIG_VALUE', message: expect.stringContaining('1.5') } }]);
  });
});
