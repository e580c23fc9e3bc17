import { expect, it, onTestFinished } from 'vitest';
import { addresseeOf, createSystem, type Ref } from '../actors/mod.ts';
import type { Placement } from './placement.ts';
import { type Line, Switchboard } from './switchboard.ts';
import { Tally } from './tally.ts';
import type { LinkOp } from './wire.ts';

interface TestLine {
  readonly line: Line;
  /** What the shard was told. */
  readonly told: LinkOp[];
  /** The ref that it knows. */
  known: Ref<never>;
}

function lineHere(thread: number, ref: Ref<never>): TestLine {
  const told: LinkOp[] = [];
  const channel = {
    link: (op: LinkOp) => {
      told.push(op);
      if (op.op === 'peer') op.port.close();
    },
    mark: () => 7,
    exportedAs: () => made.known,
  };
  // The switchboard uses nothing else of a channel here.
  const line = { thread, name: `shard ${thread}`, tally: new Tally(), channel } as unknown as Line;
  const made: TestLine = { line, told, known: ref };
  return made;
}

/** Two shards; the actor behind a proxy runs on the second. */
function twoShards() {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const switchboard = new Switchboard(system);
  const proxy = system.spawn<never>(() => () => undefined);
  const [here, there] = [lineHere(1, proxy), lineHere(2, proxy)];
  switchboard.add(here.line);
  switchboard.add(there.line);
  const state = { proxy, actor: -1, isRunning: true, isIdle: true };
  // It uses nothing else of a placement.
  const placement = state as unknown as Placement;
  const ask = (n: number): void => switchboard.obey(here.line, { op: 'ask-route', id: 5, ask: n });
  return { system, switchboard, proxy, here, there, placement, state, ask };
}

it('a shard is told the way to an actor before it knows the ref, and of the end of the actor', async () => {
  const { system, switchboard, proxy, here, there, placement } = twoShards();
  switchboard.started(placement, there.line);
  const forgotten = switchboard.exported(here.line, proxy, 5);
  expect(here.told.map(({ op }) => op)).toEqual(['peer', 'route']);
  expect(here.told[1]).toMatchObject({ id: 5, thread: 2, actor: -1, n: undefined, ask: undefined });
  // Its own shard needs none.
  switchboard.exported(there.line, proxy, 1);
  expect(there.told.map(({ op }) => op)).toEqual(['peer']);
  await system.stop(proxy);
  forgotten?.();
  expect(here.told.slice(2)).toMatchObject([
    { op: 'unroute', id: 5, exit: { reason: { kind: 'shutdown' } } },
    { op: 'unroute', id: 5, exit: undefined },
  ]);
});

it('a shard that may have sent messages before gets the way only when all of them have been passed on', async () => {
  const { switchboard, proxy, here, there, placement, state, ask } = twoShards();
  switchboard.exported(here.line, proxy, 5);
  switchboard.started(placement, there.line);
  expect(here.told).toEqual([{ op: 'may-route', id: 5 }]);
  state.isIdle = false;
  ask(1);
  await expect.poll(() => here.told.length).toBe(2);
  expect(here.told[1]).toEqual({ op: 'no-route', id: 5, ask: 1 });
  state.isIdle = true;
  ask(2);
  expect(here.told.slice(2)).toMatchObject([{ op: 'peer' }, { op: 'route', ask: 2, n: 7 }]);
});

it('a shard gets no way while messages for the actor wait in the mailbox of its proxy', async () => {
  const { system, switchboard, here, there, state } = twoShards();
  const { promise, resolve } = Promise.withResolvers<void>();
  const proxy = system.spawn<number>(() => () => promise);
  here.known = proxy;
  // As in `twoShards`.
  switchboard.started({ ...state, proxy } as unknown as Placement, there.line);
  switchboard.exported(here.line, proxy, 4)?.();
  switchboard.exported(here.line, proxy, 5);
  proxy.tell(1);
  await new Promise(setImmediate);
  proxy.tell(2);
  const before = here.told.length;
  switchboard.obey(here.line, { op: 'ask-route', id: 5, ask: 1 });
  await expect.poll(() => here.told.slice(before)).toEqual([{ op: 'no-route', id: 5, ask: 1 }]);
  resolve();
  await expect.poll(() => addresseeOf(proxy).depth).toBe(0);
  switchboard.obey(here.line, { op: 'ask-route', id: 5, ask: 2 });
  expect(here.told.at(-1)).toMatchObject({ op: 'route', id: 5, ask: 2 });
});

it('a channel is made once for a pair, and again for the thread that replaces another', () => {
  const { switchboard, proxy, here, there, placement } = twoShards();
  switchboard.started(placement, there.line);
  switchboard.exported(here.line, proxy, 5)?.();
  switchboard.exported(here.line, proxy, 6);
  // It has been known before, and must ask.
  expect(here.told.map(({ op }) => op)).toEqual(['peer', 'route', 'unroute', 'may-route']);
  switchboard.gone(there.line, { kind: 'shutdown' });
  expect(here.told.at(-1)).toEqual({ op: 'peer-gone', thread: 2, reason: { kind: 'shutdown' } });
  const next = lineHere(3, proxy);
  switchboard.add(next.line);
  switchboard.ended(placement);
  switchboard.started(placement, next.line);
  switchboard.obey(here.line, { op: 'ask-route', id: 6, ask: 1 });
  expect(here.told.slice(-2)).toMatchObject([
    { op: 'peer', thread: 3 },
    { op: 'route', thread: 3 },
  ]);
});
