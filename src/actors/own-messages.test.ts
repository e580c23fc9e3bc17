import { expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import { type Listing, pool, receptionist, serviceKey, topic } from './mod.ts';

it.each([1, 2, 3, 4, 5])('an orderly shutdown of patterns makes no dead letters (seed %i)', async (seed) => {
  await using kit = testKit({ seed });
  const { system } = kit;
  const desk = system.spawn(receptionist(), { name: 'desk' });
  const news = system.spawn(topic<string>(), { name: 'news' });
  const services = serviceKey<string>('services');
  for (const name of ['a', 'b', 'c']) {
    system.spawn<string>(
      (context) => {
        desk.tell(services.register(context.self));
        news.tell({ kind: 'subscribe', subscriber: context.self });
        return () => undefined;
      },
      { name },
    );
  }
  await system.start(
    pool<string>(
      (context) => {
        news.tell({ kind: 'subscribe', subscriber: context.self });
        desk.tell(services.register(context.self));
        return () => undefined;
      },
      { size: 3 },
    ),
    { name: 'pool' },
  );
  await kit.settle();
  await kit.shutdown();
  expect(system.deadLetters.latest()).toEqual([]);
});

it('a subscriber of a receptionist that has ended with others is not told of their ends', async () => {
  await using kit = testKit();
  const { system } = kit;
  const desk = system.spawn(receptionist());
  const services = serviceKey<string>('services');
  const subscriber = system.spawn<Listing<string>>(() => () => undefined);
  const service = system.spawn<string>(() => () => undefined);
  desk.tell(services.subscribe(subscriber));
  desk.tell(services.register(service));
  await kit.settle();
  await Promise.all([system.stop(service), system.stop(subscriber)]);
  await kit.settle();
  expect(system.deadLetters.latest()).toEqual([]);
});

it('what the timers and watches of an actor have sent ends with it, also if it is put aside', async () => {
  await using kit = testKit();
  const { system } = kit;
  const release = Promise.withResolvers<void>();
  const other = system.spawn<string>((context) => () => context.exit());
  const seen: string[] = [];
  const ref = system.spawn<string>((context) => {
    context.watch(other, () => 'ended');
    context.after(10, 'after');
    context.every(10, () => 'every');
    context.timers.after('key', 10, 'keyed');
    context.after(5, 'aside');
    return (message) => {
      seen.push(message);
      if (message === 'aside') context.stash(message);
      return message === 'wait' ? release.promise : undefined;
    };
  });
  await kit.advance(5);
  ref.tell('wait');
  await kit.settle();
  other.tell('end');
  await kit.advance(10);
  // From somebody else, so it is lost.
  ref.tell('waits');
  expect(system.tree().children.find(({ path }) => path === ref.path)?.depth).toBe(5);
  const stopped = system.stop(ref);
  release.resolve();
  await kit.settle();
  await stopped;
  expect(seen).toEqual(['aside', 'wait']);
  expect(system.deadLetters.latest()).toMatchObject([{ message: 'waits', why: 'stopped' }]);
});

it('a timer that is set while the actor is drained makes no dead letter', async () => {
  await using kit = testKit();
  const ref = kit.system.spawn<string>((context) => (message) => {
    if (message === 'wait') context.after(1, 'late');
    return new Promise((resolve) => void context.clock.timer(5, resolve));
  });
  ref.tell('wait');
  ref.tell('wait');
  const drained = kit.system.drain(ref);
  await kit.advance(20);
  await drained;
  expect(kit.system.deadLetters.latest()).toEqual([]);
});
