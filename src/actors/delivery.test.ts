import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import { createSystem, type Ref } from './mod.ts';

/** A promise that the test settles. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, opened: promise };
}

describe('an actor', () => {
  it('handles nothing before tell has returned', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>(() => (message) => void seen.push(message));
    ref.tell('hello');
    expect(seen).toEqual([]);
    await kit.settle();
    expect(seen).toEqual(['hello']);
  });

  it('keeps the messages that come while it starts', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const { open, opened } = gate();
    const ref = kit.system.spawn<string>(async () => {
      await opened;
      return (message) => void seen.push(message);
    });
    ref.tell('early');
    await kit.settle();
    expect(seen).toEqual([]);
    open();
    await kit.settle();
    expect(seen).toEqual(['early']);
  });

  it('is never re-entered: a message waits until the promise of the one before is settled', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const { open, opened } = gate();
    const ref = kit.system.spawn<string>(() => async (message) => {
      seen.push(`${message} begins`);
      if (message === 'slow') await opened;
      seen.push(`${message} ends`);
    });
    ref.tell('slow');
    ref.tell('next');
    await kit.settle();
    expect(seen).toEqual(['slow begins']);
    open();
    await kit.settle();
    expect(seen).toEqual(['slow begins', 'slow ends', 'next begins', 'next ends']);
  });

  it('is not re-entered either when it was stopped and restarted while it waited for its turn', async () => {
    await using kit = testKit();
    let inHand = 0;
    let inHandMax = 0;
    const { open, opened } = gate();
    const parent = kit.system.spawn<'go'>((context) => {
      const child = context.spawn<number>(() => async () => {
        inHandMax = Math.max(inHandMax, ++inHand);
        await opened;
        inHand -= 1;
      });
      return () => {
        child.tell(1);
        void context.stop(child);
        void context.restart(child);
        child.tell(2);
        child.tell(3);
      };
    });
    parent.tell('go');
    await kit.settle();
    open();
    await kit.settle();
    expect(inHandMax).toBe(1);
  });

  it('takes `undefined` for a message like any other', async () => {
    await using kit = testKit();
    const p = kit.probe<undefined | string>();
    p.ref.tell(undefined);
    p.ref.tell('after');
    await kit.settle();
    expect(p.received).toEqual([undefined, 'after']);
  });

  it('gets what another has sent in the order of sending, at most once, among any number of actors', async () => {
    const plan = fc.record({
      actors: fc.integer({ min: 2, max: 6 }),
      sends: fc.array(fc.record({ from: fc.nat(), to: fc.nat(), waits: fc.boolean() }), { maxLength: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ actors, sends }) => {
        await using kit = testKit();
        type Message = { to: Ref<Message>; n: number } | { from: number; n: number; waits: boolean };
        const seen = new Map<string, number[]>();
        const refs: Ref<Message>[] = Array.from({ length: actors }, (_, self) =>
          kit.system.spawn<Message>(() => async (message) => {
            if ('to' in message) {
              message.to.tell({ from: self, n: message.n, waits: sends[message.n]?.waits ?? false });
              return;
            }
            const pair = `${message.from}>${self}`;
            seen.set(pair, [...(seen.get(pair) ?? []), message.n]);
            if (message.waits) await Promise.resolve();
          }),
        );
        // The index is below the number of refs.
        const at = (index: number): Ref<Message> => refs[index % actors] as Ref<Message>;
        const sent = new Map<string, number[]>();
        sends.forEach(({ from, to }, n) => {
          at(from).tell({ to: at(to), n });
          const pair = `${from % actors}>${to % actors}`;
          sent.set(pair, [...(sent.get(pair) ?? []), n]);
        });
        await kit.settle();
        expect(seen).toEqual(sent);
      }),
    );
  });
});

describe('the scheduler', () => {
  it('lets other actors have their turn while one is flooded', async () => {
    await using kit = testKit();
    const order: string[] = [];
    const flooded = kit.system.spawn<number>(() => () => void order.push('flooded'));
    const other = kit.system.spawn<string>(() => () => void order.push('other'));
    for (let n = 0; n < 10_000; n++) flooded.tell(n);
    other.tell('me too');
    await kit.settle();
    expect(order).toHaveLength(10_001);
    expect(order.indexOf('other')).toBeLessThan(100);
  });

  it('serves those who have mail in the order in which they got it, however many they are', async () => {
    await using kit = testKit();
    const seen: number[] = [];
    const refs = Array.from({ length: 1000 }, (_, n) => kit.system.spawn<string>(() => () => void seen.push(n)));
    for (const ref of refs) ref.tell('go');
    await kit.settle();
    for (const ref of refs.reverse()) ref.tell('go');
    await kit.settle();
    const up = Array.from(refs, (_, n) => n);
    expect(seen).toEqual([...up, ...[...up].reverse()]);
  });

  it('lets I/O have its turn while actors feed each other for ever', async () => {
    const system = createSystem();
    const spin = system.spawn<number>((context) => (n) => void context.self.tell(n + 1));
    spin.tell(0);
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    await system.shutdown();
    expect(system.tree().children).toEqual([]);
  });
});
