import { expect, it, onTestFinished } from 'vitest';
import { type ActorSystem, type Behaviour, type Context, createSystem, type Ref, silentLogger } from './mod.ts';

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
];

it.each(CALLS)('a program that awaits %s again and again leaves room for timers', async (_what, call) => {
  const system = liveSystem();
  const gone = system.spawn(idle);
  await system.stop(gone);
  expect(await leavesRoom(() => call(system, gone))).toBe(true);
});

it('so does an actor that starts and stops children', async () => {
  const system = liveSystem();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const cycle = (context: Context<string>) => async () => context.stop(await context.start(idle));
  const ref = system.spawn<string>((context) => async () => resolve(await leavesRoom(cycle(context))));
  ref.tell('go');
  expect(await promise).toBe(true);
});
