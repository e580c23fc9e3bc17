import { MessageChannel } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { createSystem, type Ref } from '../actors/mod.ts';
import type { Route } from '../refs/mod.ts';
import { pairBuffer, type Side } from './pair-tally.ts';
import { Peers } from './peers.ts';
import type { PortChannel } from './port-channel.ts';
import { Tally } from './tally.ts';

interface TestShard {
  readonly peers: Peers;
  /** The way that it was told of last. */
  way: Route | undefined;
  /** The marks of the main thread that it has waited for. */
  readonly waitedFor: number[];
  /** The main thread has said all. */
  reach(): void;
}

function shardWith(actor: Ref<never>, takesWay: () => boolean): TestShard {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const { promise, resolve } = Promise.withResolvers<void>();
  let isReached = false;
  const main = {
    routes: {
      route: (_id: number, route: Route | undefined) => {
        if (takesWay()) shard.way = route;
        return takesWay();
      },
    },
    reached: (n: number) => {
      shard.waitedFor.push(n);
      return isReached ? undefined : promise;
    },
  };
  const shard: TestShard = {
    way: undefined,
    waitedFor: [],
    reach() {
      isReached = true;
      resolve();
    },
    peers: new Peers({
      system,
      tally: new Tally(),
      // Peers use nothing else of it here.
      main: main as unknown as PortChannel,
      placed: () => actor,
      onDefect: (_path, error) => expect.unreachable(String(error)),
      onClosed: () => undefined,
    }),
  };
  return shard;
}

/** Two shards with a channel; the second has an actor. */
function pair(takesWay: () => boolean = () => true) {
  const seen: unknown[] = [];
  const actor: Ref<never> = { path: '/b', tell: (message) => seen.push(message) > 0 };
  const [a, b] = [shardWith(actor, takesWay), shardWith(actor, takesWay)];
  const { port1, port2 } = new MessageChannel();
  const tally = pairBuffer();
  const open = (shard: TestShard, port: typeof port1, side: Side): void => {
    shard.peers.obey({ op: 'peer', thread: 2 - side, name: 'other', port, side, tally });
    onTestFinished(() => shard.peers.obey({ op: 'peer-gone', thread: 2 - side, reason: { kind: 'shutdown' } }));
  };
  open(a, port1, 0);
  open(b, port2, 1);
  return { a, b, seen };
}

it('what goes straight to another shard comes after what went there through the main thread', async () => {
  const { a, b, seen } = pair();
  a.peers.obey({ op: 'route', id: 5, thread: 2, actor: -1, n: 7, ask: 1 });
  a.way?.channel.tell(-1, 'straight', '/b', false);
  await expect.poll(() => b.waitedFor).toContain(7);
  await new Promise(setImmediate);
  expect(seen).toEqual([]);
  b.reach();
  await expect.poll(() => seen).toEqual(['straight']);
});

it('nothing waits for the main thread if the way is not taken, or nothing went there', async () => {
  let takesWay = true;
  const { a, b, seen } = pair(() => takesWay);
  a.peers.obey({ op: 'route', id: 4, thread: 2, actor: -1, n: undefined, ask: undefined });
  takesWay = false;
  a.peers.obey({ op: 'route', id: 5, thread: 2, actor: -1, n: 7, ask: 1 });
  a.way?.channel.tell(-1, 'straight', '/b', false);
  await expect.poll(() => seen).toEqual(['straight']);
  expect(b.waitedFor).toEqual([]);
});
