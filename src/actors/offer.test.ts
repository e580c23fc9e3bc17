import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { ActorSystem, Behaviour, OfferOptions, Ref } from './mod.ts';

/** An actor with room for one message that never finishes the one in hand. */
function stuck(system: ActorSystem): Ref<number> {
  const ref = system.spawn<number>(() => () => new Promise(() => undefined), {
    name: 'stuck',
    capacity: 1,
    stopTimeoutMs: 1,
  });
  ref.tell(0);
  return ref;
}

describe('an offer that waits', () => {
  it('is given up after its time, as a dead letter', async () => {
    await using kit = testKit();
    const ref = stuck(kit.system);
    await kit.settle();
    expect(await kit.system.offer(ref, 1, { timeoutMs: 100 })).toBe(true);
    let answer: boolean | undefined;
    void kit.system.offer(ref, 2, { timeoutMs: 100 }).then((taken) => {
      answer = taken;
    });
    await kit.advance(99);
    expect(answer).toBeUndefined();
    await kit.advance(1);
    expect(answer).toBe(false);
    expect(kit.system.deadLetters.latest()).toEqual([{ from: '-', to: '/stuck', message: 2, why: 'given-up' }]);
    // No timer is left behind.
    expect(kit.clock.pending).toBe(0);
  });

  it('is given up by its signal, or by whichever comes first', async () => {
    await using kit = testKit();
    const ref = stuck(kit.system);
    await kit.settle();
    ref.tell(1);
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const offers = [
      kit.system.offer(ref, 2, { signal }),
      kit.system.offer(ref, 3, { signal, timeoutMs: 100 }),
      kit.system.offer(ref, 4, { signal, timeoutMs: 10 }),
    ];
    await kit.advance(50);
    expect(kit.system.deadLetters.latest().map(({ message }) => message)).toEqual([4]);
    giveUp.abort();
    expect(await Promise.all(offers)).toEqual([false, false, false]);
    expect(await kit.system.offer(ref, 5, { signal })).toBe(false);
    expect(kit.system.deadLetters.count).toBe(4);
  });

  it('is over once it was taken: neither its time nor its signal gives it up any more', async () => {
    await using kit = testKit();
    const seen: number[] = [];
    let next = (): void => undefined;
    const ref = kit.system.spawn<number>(
      () => async (n) => {
        seen.push(n);
        if (n === 0) await new Promise<void>((resolve) => (next = resolve));
      },
      { capacity: 1 },
    );
    ref.tell(0);
    await kit.settle();
    ref.tell(1);
    const giveUp = new AbortController();
    const offers = [
      kit.system.offer(ref, 2, { signal: giveUp.signal }),
      kit.system.offer(ref, 3, { signal: giveUp.signal, timeoutMs: 100 }),
    ];
    next();
    await kit.settle();
    expect(await Promise.all(offers)).toEqual([true, true]);
    expect(kit.clock.pending).toBe(0);
    giveUp.abort();
    await kit.settle();
    expect([seen, kit.system.deadLetters.count]).toEqual([[0, 1, 2, 3], 0]);
  });

  it('leaves the others in their order', async () => {
    await using kit = testKit();
    const seen: number[] = [];
    let go: () => void = () => undefined;
    const ref = kit.system.spawn<number>(
      () => (n) => {
        seen.push(n);
        return new Promise<void>((resolve) => {
          go = resolve;
        });
      },
      { capacity: 1 },
    );
    ref.tell(0);
    await kit.settle();
    ref.tell(1);
    const offers = [2, 3, 4].map((n) => kit.system.offer(ref, n, n === 3 ? { timeoutMs: 5 } : {}));
    await kit.advance(5);
    for (let n = 0; n < 5; n++) {
      go();
      await kit.settle();
    }
    expect(await Promise.all(offers)).toEqual([true, false, true]);
    expect(seen).toEqual([0, 1, 2, 4]);
  });

  it.each([
    ['for ever without a limit', undefined, [1, 1], 0],
    ['until the first is given up with one', { timeoutMs: 1_000 }, [0, 0], 1],
  ] as const)('lets actors that offer to each other wait %s', async (_how, options, waiting, givenUp) => {
    await using kit = testKit();
    type Message = { readonly to?: Ref<Message> };
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const offering: Behaviour<Message> = (context) => async (message) => {
      await gate;
      if (message.to !== undefined) await context.offer(message.to, {}, options);
    };
    const spawn = () => kit.system.spawn(offering, { capacity: 1, stopTimeoutMs: 1 });
    const [a, b] = [spawn(), spawn()];
    a.tell({ to: b });
    b.tell({ to: a });
    await kit.settle();
    for (const ref of [a, b]) ref.tell({});
    open();
    await kit.advance(10_000);
    expect(kit.system.tree().children.map(({ depth }) => depth)).toEqual(waiting);
    expect(kit.system.deadLetters.count).toBeGreaterThanOrEqual(givenUp);
  });

  it.each([
    [{ timeoutMs: 0 }, '`timeoutMs`'],
    [{ timeoutMs: '5' }, '`timeoutMs`'],
    [{ signal: {} }, '`signal` to be an AbortSignal'],
    [{ timeout: 5 }, 'got `timeout`'],
  ])('has checked options: %o', async (options, named) => {
    await using kit = testKit();
    const ref = kit.system.spawn<number>(() => () => undefined);
    // JavaScript users pass anything.
    expect(() => kit.system.offer(ref, 1, options as OfferOptions)).toThrow(named);
  });
});
