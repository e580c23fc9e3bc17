import { expect, it, onTestFinished } from 'vitest';
import { type ActorSystem, type Behaviour, type Context, createSystem, type Ref, silentLogger } from './mod.ts';
import { Pace } from './pace.ts';
import { SLICE_MS } from './scheduler.ts';

/** Each round takes a few microseconds, so a timer of 1 ms fires long before, if it may. */
const ROUNDS_MAX = 100_000;

const idle: Behaviour<string> = () => () => undefined;

/** Calls again and again until a timer has fired. @returns whether it has */
async function leavesRoom(call: () => Promise<unknown>): Promise<boolean> {
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 1);
  for (let round = 0; round < ROUNDS_MAX && !fired; round++) await call().catch(() => undefined);
  return fired;
}

function liveSystem(): ActorSystem {
  const system = createSystem({ logger: silentLogger });
  onTestFinished(() => system.shutdown());
  return system;
}

const CALLS: readonly [string, (system: ActorSystem, gone: Ref<string>) => Promise<unknown>][] = [
  ['start and stop', async (system) => system.stop(await system.start(idle))],
  ['spawn and stop', (system) => system.stop(system.spawn(idle))],
  ['spawn and drain', (system) => system.drain(system.spawn(idle))],
  ['start alone', (system) => system.start(idle)],
  ['a start that fails', (system) => system.start(() => Promise.reject(new Error('no')))],
  ['a stop of one that is gone', (system, gone) => system.stop(gone)],
  ['the end of one that is gone', (system, gone) => system.ended(gone)],
  ['an ask of one that is gone', (system, gone) => system.ask(gone, () => 'hello', 1_000)],
  ['an offer to one that is gone', (system, gone) => system.offer(gone, 'hello')],
  ['an ask that is refused', (system, gone) => system.ask(gone, () => 'hello', -1)],
  ['a shutdown', (system) => system.shutdown()],
];

it.each(CALLS)('a program that awaits %s again and again leaves room for timers', async (_what, call) => {
  const system = liveSystem();
  const gone = system.spawn(idle);
  await system.stop(gone);
  expect(await leavesRoom(() => call(system, gone))).toBe(true);
});

type Cycle = (context: Context<string>) => () => Promise<unknown>;

const failing: Behaviour<string> = () => {
  throw new Error('no');
};

const leaving: Behaviour<string> = (context) => {
  context.exit();
  return () => undefined;
};

function startsAgain(context: Context<string>): () => Promise<unknown> {
  const child = context.spawn(leaving);
  return () => context.restart(child);
}

function restarting(context: Context<string>): () => Promise<unknown> {
  let starts = 0;
  const child = context.spawn<string>(() => {
    if (starts++ > 0) throw new Error('no');
    return () => undefined;
  });
  const stopped = context.stop(child);
  return () => stopped.then(() => context.restart(child));
}

const CYCLES: readonly [string, Cycle][] = [
  ['starts and stops children', (context) => async () => context.stop(await context.start(idle))],
  ['starts children', (context) => () => context.start(idle)],
  ['starts children that end at once', (context) => () => context.start(leaving)],
  ['starts children that fail', (context) => () => context.start(failing)],
  ['restarts a child that ends at once', startsAgain],
  ['restarts a child that fails', restarting],
  [
    'starts children under a name that is taken',
    (context) => {
      context.spawn(idle, { name: 'taken' });
      return () => context.start(idle, { name: 'taken' });
    },
  ],
];

it.each(CYCLES)('so does an actor that %s', async (_what, cycle) => {
  const system = liveSystem();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ref = system.spawn<string>((context) => async () => resolve(await leavesRoom(cycle(context))));
  ref.tell('go');
  expect(await promise).toBe(true);
});

it('calls that have to wait all go on once the event loop has turned', async () => {
  const pace = new Pace();
  const startMs = performance.now();
  const order: string[] = [];
  pace.run(() => order.push('at once'));
  while (performance.now() - startMs < 2 * SLICE_MS);
  for (const name of ['a', 'b']) pace.run(() => order.push(name));
  const late = Promise.all([pace.through(Promise.resolve('c')), pace.through(Promise.resolve('d'))]);
  expect(order).toEqual(['at once']);
  expect(await late).toEqual(['c', 'd']);
  expect(order).toEqual(['at once', 'a', 'b']);
});

it('a parent that has awaited a start can still watch the child, however long the turn', async () => {
  const system = liveSystem();
  const { promise, resolve } = Promise.withResolvers<string>();
  const parent = system.spawn<'go' | 'told'>((context) => async (message) => {
    if (message === 'told') return resolve('told');
    const startMs = performance.now();
    await context.start(idle);
    // Whatever is paced now waits for the event loop.
    while (performance.now() - startMs < 2 * SLICE_MS);
    const child = await context.start<string>((its) => {
      its.self.tell('work');
      return () => {
        throw new Error('no');
      };
    });
    context.watch(child, () => 'told');
  });
  parent.tell('go');
  void system.ended(parent).then(() => resolve('the parent has failed'));
  expect(await promise).toBe('told');
});
