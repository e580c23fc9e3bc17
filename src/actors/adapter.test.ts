import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Exit, Ref } from './mod.ts';

type Own = { readonly kind: 'price'; readonly cents: number } | { readonly kind: 'ended'; readonly exit: Exit };

/** An actor of this protocol with a ref for plain numbers. */
function adapted(
  kit: ReturnType<typeof testKit>,
  sink: Ref<Own>,
): { readonly own: Ref<Own>; readonly numbers: Ref<number> } {
  let numbers: Ref<number> | undefined;
  const own = kit.system.spawn<Own>(
    (context) => {
      numbers = context.adapt<number>((cents) => {
        if (cents < 0) throw new Error(`no price is ${cents}`);
        return { kind: 'price', cents };
      });
      return (message) => void sink.tell(message);
    },
    { name: 'own' },
  );
  if (numbers === undefined) throw new Error('it has been made at the start');
  return { own, numbers };
}

describe('an adapter', () => {
  it('translates messages of another protocol, in order with those of its own', async () => {
    await using kit = testKit();
    const p = kit.probe<Own>();
    const { own, numbers } = adapted(kit, p.ref);
    numbers.tell(1);
    own.tell({ kind: 'price', cents: 2 });
    numbers.tell(3);
    await kit.settle();
    expect(p.received).toEqual([1, 2, 3].map((cents) => ({ kind: 'price', cents })));
  });

  it('tells whoever sent a dead letter', async () => {
    await using kit = testKit();
    const { own, numbers } = adapted(kit, kit.probe<Own>().ref);
    await kit.system.stop(own);
    const sender = kit.system.spawn<number>(() => (n) => void numbers.tell(n), { name: 'sender' });
    sender.tell(1);
    await kit.settle();
    expect(numbers.tell(2)).toBe(false);
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '/sender', to: '/own', message: 1, why: 'stopped' },
      { from: '-', to: '/own', message: 2, why: 'stopped' },
    ]);
  });

  it('is gone with its incarnation, though the actor is restarted', async () => {
    await using kit = testKit();
    const seen: Own[] = [];
    const refs: Ref<number>[] = [];
    const exits: Exit[] = [];
    const parent = kit.system.spawn<'restart'>((context) => {
      const child = context.spawn<Own>((inner) => {
        refs.push(inner.adapt<number>((cents) => ({ kind: 'price', cents })));
        return (message) => void seen.push(message);
      });
      return async () => {
        await context.stop(child);
        await context.restart(child);
      };
    });
    parent.tell('restart');
    await kit.settle();
    expect(refs.map((ref, index) => ref.tell(index))).toEqual([false, true]);
    await kit.settle();
    expect(seen).toEqual([{ kind: 'price', cents: 1 }]);
    const [past] = refs;
    if (past !== undefined) exits.push(await kit.system.ended(past));
    expect(exits).toMatchObject([{ reason: { kind: 'shutdown' } }]);
  });

  it('can be watched beside its actor by the same watcher, asked and offered to', async () => {
    await using kit = testKit();
    const p = kit.probe<Own>();
    const { own, numbers } = adapted(kit, p.ref);
    const watcher = kit.probe<string>();
    kit.system.spawn<string>((context) => {
      context.watch(own, () => 'own');
      context.watch(numbers, () => 'adapter');
      return (message) => void watcher.ref.tell(message);
    });
    expect(await kit.system.offer(numbers, 5)).toBe(true);
    await p.expect({ kind: 'price', cents: 5 });
    await kit.system.stop(numbers);
    await kit.settle();
    expect(watcher.received.toSorted()).toEqual(['adapter', 'own']);
    expect(await kit.system.ask(numbers, () => 1, 10).catch((error: Error) => error)).toMatchObject({
      code: 'ACTOR_STOPPED',
    });
  });

  it('tells a watcher of its end once, however often it watches', async () => {
    await using kit = testKit();
    const { numbers } = adapted(kit, kit.probe<Own>().ref);
    let told = 0;
    let watch: (() => void) | undefined;
    kit.system.spawn<string>((context) => {
      watch = () => context.watch(numbers, () => 'ended');
      watch();
      return () => {
        told += 1;
        // Bounded, or the test would not end.
        if (told < 100) watch?.();
      };
    });
    await kit.system.stop(numbers);
    await kit.settle();
    watch?.();
    await kit.settle();
    expect(told).toBe(1);
  });

  it('tells a watcher again that has ceased to watch since', async () => {
    await using kit = testKit();
    const { own, numbers } = adapted(kit, kit.probe<Own>().ref);
    const watcher = kit.probe<string>();
    let [watch, unwatch] = [(): void => undefined, (): void => undefined];
    kit.system.spawn<string>((context) => {
      watch = () => context.watch(numbers, () => 'ended');
      unwatch = () => context.unwatch(numbers);
      return (message) => void watcher.ref.tell(message);
    });
    await kit.system.stop(own);
    for (let n = 0; n < 2; n++) {
      watch();
      await kit.settle();
      unwatch();
    }
    expect(watcher.received).toEqual(['ended', 'ended']);
  });

  it('is not heard of once its watch is cancelled', async () => {
    await using kit = testKit();
    const { own, numbers } = adapted(kit, kit.probe<Own>().ref);
    const watcher = kit.probe<string>();
    kit.system.spawn<string>((context) => {
      context.watch(numbers, () => 'adapter');
      context.unwatch(numbers);
      return (message) => void watcher.ref.tell(message);
    });
    await kit.system.stop(own);
    await watcher.expectNone();
  });

  it('fails its actor at a message that it cannot translate, which is a dead letter', async () => {
    await using kit = testKit();
    const { numbers } = adapted(kit, kit.probe<Own>().ref);
    expect(numbers.tell(-1)).toBe(false);
    await kit.settle();
    expect(kit.failures).toMatchObject([{ path: '/own', error: { message: 'no price is -1' } }]);
    expect(kit.system.deadLetters.latest()).toMatchObject([{ to: '/own', message: -1, why: 'stopped' }]);
  });

  it('tells a watcher that has watched it twice of its end once, as it asked for last', async () => {
    await using kit = testKit();
    const { own, numbers } = adapted(kit, kit.probe<Own>().ref);
    const seen: string[] = [];
    kit.system.spawn<string>((context) => {
      context.watch(numbers, () => 'first');
      context.watch(numbers, () => 'second');
      return (message) => void seen.push(message);
    });
    await kit.system.stop(own);
    await kit.settle();
    expect(seen).toEqual(['second']);
  });
});
