import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type ActorSystem, createSystem, type Ref } from '../../src/actors/mod.ts';
import { createShards, type PlacedActor } from '../../src/shards/mod.ts';
import { Arrivals } from '../actors/arrivals.ts';
import { compare, type Row } from '../compare.ts';
import type { behaviours } from '../peers/shard-behaviours.ts';
import { usEach } from './us-each.ts';

const RELAY_ROUNDS = 9;
const RELAYED = 10_000;
const RAW_BATCH = 64;
const RELAY_RATIO = 3;
const ASK_ROUNDS = 31;
const ASKS = 300;
const ASK_RATIO = 2.5;
const LONG_MS = 60_000;

function placed<M>(system: ActorSystem, { start, ...options }: PlacedActor<M>): Promise<Ref<M>> {
  return system.start(start, options);
}

/** Two shards with a system, and two raw workers with a port between them. */
export interface TwoShards extends AsyncDisposable {
  relay(): Promise<Row>;
  askBetween(): Promise<Row>;
}

export async function openTwoShards(): Promise<TwoShards> {
  const system = createSystem();
  const shards = createShards<typeof behaviours>({
    system,
    count: 2,
    module: new URL('../peers/shard-behaviours.ts', import.meta.url),
    // The module takes none.
    options: undefined as never,
  });
  const arrivals = new Arrivals();
  const sink = system.spawn<number>(() => arrivals.arrive);
  // An actor is placed on the shard with the fewest actors, so these two are on different ones.
  const worker = shards.actor('worker', {});
  const workerRef = await placed(system, worker);
  const asker = shards.actor('asker', workerRef);
  const askerRef = await placed(system, asker);
  const relay = shards.actor('relay', sink);
  const relayRef = await placed(system, relay);
  const rawEcho = new Worker(new URL('../peers/raw-echo.ts', import.meta.url));
  const rawAsker = new Worker(new URL('../peers/raw-asker.ts', import.meta.url));
  const { port1, port2 } = new MessageChannel();
  rawEcho.postMessage({ port: port1 }, [port1]);
  let unsentPort: typeof port2 | undefined = port2;
  return {
    relay: () =>
      compare({
        name: 'relay-across-threads',
        unit: 'us a message',
        goal: { atMost: RELAY_RATIO },
        rounds: RELAY_ROUNDS,
        ours: () =>
          usEach(RELAYED, () =>
            arrivals.round(RELAYED, async () => {
              for (let n = 0; n < RELAYED; n++) await system.offer(relayRef, n);
            }),
          ),
        baseline: () => usEach(RELAYED, () => rawRelay(rawEcho)),
      }),
    askBetween: () =>
      compare({
        name: 'ask-across-two-shards',
        unit: 'us (median)',
        goal: { atMost: ASK_RATIO },
        rounds: ASK_ROUNDS,
        ours: () => system.ask(askerRef, (replyTo: Ref<number>) => ({ asks: ASKS, replyTo }), LONG_MS),
        baseline: async () => {
          const median = once(rawAsker, 'message');
          const port = unsentPort;
          unsentPort = undefined;
          if (port === undefined) rawAsker.postMessage({ asks: ASKS });
          else rawAsker.postMessage({ asks: ASKS, port }, [port]);
          // The asker posts one number a round.
          return (await median)[0] as number;
        },
      }),
    async [Symbol.asyncDispose]() {
      await system.shutdown();
      await shards.stop();
      await Promise.all([rawEcho.terminate(), rawAsker.terminate()]);
    },
  };
}

/** There and back on the bare port, without any flow control. */
async function rawRelay(worker: Worker): Promise<void> {
  const arrivals = new Arrivals();
  worker.on('message', arrivals.arrive);
  await arrivals.round(RELAYED, async () => {
    for (let n = 0; n < RELAYED; n++) {
      worker.postMessage(n);
      if (n % RAW_BATCH === 0) await Promise.resolve();
    }
  });
  worker.off('message', arrivals.arrive);
}
