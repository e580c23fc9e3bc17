import { describe, expect, it } from 'vitest';
import { interleavings, type TestKit, testKit } from '../kit/mod.ts';
import type { Behaviour, Listing, Ref } from '../mod.ts';
import { receptionist, serviceKey } from '../mod.ts';

const printers = serviceKey<string>('printers');
const scanners = serviceKey<number>('scanners');
const idle: Behaviour<unknown> = () => () => undefined;

function setUp(kit: TestKit) {
  const desk = kit.system.spawn(receptionist(), { name: 'receptionist' });
  const find = (): Promise<Listing<string>> => {
    const listing = kit.system.ask(desk, printers.find, 1_000);
    void kit.settle();
    return listing;
  };
  return { desk, find };
}

/** The refs of each listing that has arrived. */
const refsOf = (listings: readonly Listing<string>[]): (readonly Ref<string>[])[] => listings.map(({ refs }) => refs);

describe('a receptionist', () => {
  it('finds who has registered, in that order, by the key of the service', async () => {
    await using kit = testKit({ copyMessages: true });
    const { desk, find } = setUp(kit);
    const [a, b] = [kit.system.spawn(idle), kit.system.spawn(idle)];
    for (const ref of [a, b, a]) desk.tell(printers.register(ref));
    desk.tell(scanners.register(b));
    expect(await find()).toEqual({ name: 'printers', refs: [a, b] });
    desk.tell(printers.deregister(a));
    expect((await find()).refs).toEqual([b]);
    expect((await kit.system.ask(desk, scanners.find, 1_000)).refs).toEqual([b]);
    expect((await kit.system.ask(desk, serviceKey<string>('none').find, 1_000)).refs).toEqual([]);
  });

  it('tells a subscriber the listing at once and at each change, but not what stays the same', async () => {
    await using kit = testKit();
    const { desk } = setUp(kit);
    const p = kit.probe<Listing<string>>();
    const [a, b] = [kit.system.spawn(idle), kit.system.spawn(idle)];
    desk.tell(printers.subscribe(p.ref));
    desk.tell(printers.register(a));
    desk.tell(printers.register(a));
    desk.tell(scanners.register(a));
    desk.tell(printers.register(b));
    desk.tell(printers.deregister(a));
    desk.tell(printers.deregister(a));
    desk.tell(printers.unsubscribe(p.ref));
    desk.tell(printers.deregister(b));
    await kit.settle();
    expect(refsOf(p.received)).toEqual([[], [a], [a, b], [b]]);
  });

  it('forgets an actor that ends, and tells when it is there again after its restart', async () => {
    await using kit = testKit();
    const { desk, find } = setUp(kit);
    const p = kit.probe<Listing<string>>();
    desk.tell(printers.subscribe(p.ref));
    let child: Ref<string> | undefined;
    const parent = kit.system.spawn<'stop' | 'restart'>((context) => {
      const printer = context.spawn<string>((inner) => {
        desk.tell(printers.register(inner.self));
        return () => undefined;
      });
      child = printer;
      return (message) => (message === 'stop' ? context.stop(printer) : context.restart(printer));
    });
    await kit.settle();
    parent.tell('stop');
    await kit.settle();
    expect((await find()).refs).toEqual([]);
    parent.tell('restart');
    await kit.settle();
    expect(refsOf(p.received)).toEqual([[], [child], [], [child]]);
    expect((await find()).refs).toEqual([child]);
  });

  it('lists nobody for long who has ended before', async () => {
    await using kit = testKit();
    const { desk, find } = setUp(kit);
    const gone = kit.system.spawn(idle);
    await kit.system.stop(gone);
    desk.tell(printers.register(gone));
    await kit.settle();
    expect((await find()).refs).toEqual([]);
  });

  it('forgets a subscriber that ends, which gets no listing as a dead letter', async () => {
    await using kit = testKit();
    const { desk } = setUp(kit);
    const p = kit.probe<Listing<string>>();
    const both = kit.system.spawn<unknown>(idle);
    desk.tell(printers.subscribe(both));
    desk.tell(printers.register(both));
    desk.tell(printers.subscribe(p.ref));
    await kit.settle();
    await kit.system.stop(both);
    await kit.settle();
    expect(refsOf(p.received)).toEqual([[both], []]);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('takes adapters: a subscriber may have a protocol of its own', async () => {
    await using kit = testKit();
    const { desk } = setUp(kit);
    const p = kit.probe<{ readonly found: number }>();
    const subscriber = kit.system.spawn<{ readonly found: number }>((context) => {
      const listings = context.adapt<Listing<string>>(({ refs }) => ({ found: refs.length }));
      desk.tell(printers.subscribe(listings));
      return (message) => void p.ref.tell(message);
    });
    desk.tell(printers.register(kit.system.spawn(idle)));
    await kit.settle();
    await kit.system.stop(subscriber);
    desk.tell(printers.register(kit.system.spawn(idle)));
    await kit.settle();
    expect(p.received).toEqual([{ found: 0 }, { found: 1 }]);
    expect(kit.system.deadLetters.count).toBe(0);
  });

  it('refuses a ref that is no actor at its sender', () => {
    expect(() => printers.register({ path: '/nobody', tell: () => true })).toThrow('/nobody is not an actor');
  });

  it('lists in the end exactly those that live, in any order of turns', async () => {
    await interleavings(async (kit) => {
      const { desk } = setUp(kit);
      const p = kit.probe<Listing<string>>();
      desk.tell(printers.subscribe(p.ref));
      const parent = kit.system.spawn<number>((context) => {
        const children = [1, 2, 3].map(() =>
          context.spawn<string>((inner) => {
            desk.tell(printers.register(inner.self));
            return () => undefined;
          }),
        );
        return async (index) => {
          const child = children[index];
          if (child === undefined) return;
          await context.stop(child);
          if (index < 2) await context.restart(child);
        };
      });
      for (const index of [0, 2, 1]) parent.tell(index);
      await kit.settle();
      const living = kit.system.tree().children.find(({ path }) => path === parent.path)?.children ?? [];
      expect(
        p.received
          .at(-1)
          ?.refs.map(({ path }) => path)
          .toSorted(),
      ).toEqual(living.map(({ path }) => path).toSorted());
      expect(living).toHaveLength(2);
    });
  });

  it('watches only those that offer or follow something', async () => {
    await using kit = testKit();
    const { desk } = setUp(kit);
    const [a, b] = [kit.system.spawn(idle), kit.system.spawn(idle)];
    const p = kit.probe<Listing<string>>();
    for (const ref of [a, b]) desk.tell(printers.register(ref));
    desk.tell(printers.subscribe(p.ref));
    desk.tell(scanners.register(b));
    for (const ref of [a, b]) desk.tell(printers.deregister(ref));
    desk.tell(printers.unsubscribe(p.ref));
    await kit.settle();
    const handled = (): number | undefined =>
      kit.system.tree().children.find(({ path }) => path === desk.path)?.handled;
    const before = handled() ?? 0;
    await Promise.all([kit.system.stop(a), kit.system.stop(p.ref)]);
    await kit.settle();
    expect(handled()).toBe(before);
    await kit.system.stop(b);
    await kit.settle();
    expect(handled()).toBe(before + 1);
  });

  it('forgets a subscriber that ends, also one that has been on the list itself', async () => {
    await using kit = testKit();
    const { desk } = setUp(kit);
    const p = kit.probe<Listing<unknown>>();
    // A ref that takes any message takes none in particular.
    const both = p.ref as Ref<never>;
    desk.tell({ kind: 'register', name: 'printers', ref: both });
    desk.tell({ kind: 'subscribe', name: 'printers', subscriber: p.ref });
    desk.tell({ kind: 'deregister', name: 'printers', ref: both });
    await kit.settle();
    await kit.system.stop(p.ref);
    desk.tell(printers.register(kit.system.spawn(idle)));
    await kit.settle();
    expect(kit.system.deadLetters.count).toBe(0);
  });
});
