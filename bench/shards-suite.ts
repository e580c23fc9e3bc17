import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import { Piscina } from 'piscina';
import { createSystem, type Ref } from '../src/actors/mod.ts';
import { createShards } from '../src/shards/mod.ts';
import { lost } from './actors/arrivals.ts';
import { compare, type Row } from './compare.ts';
import type { api } from './peers/comlink-worker.ts';
import type { BenchMessage, behaviours } from './peers/shard-behaviours.ts';
import { askRound } from './shards/ask-round.ts';
import { openTwoShards } from './shards/two-shards.ts';
import { usEach } from './shards/us-each.ts';

const TELL_ROUNDS = 15;
const TELL_BATCHES = 300;
const BATCH = 64;
const ASK_ROUNDS = 61;
const ASKS = 500;
const FEWER_ASKS = 300;
const LONG_MS = 60_000;
/** An idle worker of piscina only waits for its next task; a worker with sockets and timers of its own cannot. */
const PISCINA_RATIO = 1.5;

/** The cost of messages to an actor on another thread, beside the bare port, comlink and piscina. */
export async function* shardsSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('relay-across-threads')) {
    await using two = await openTwoShards();
    yield await two.relay();
  }
  await using ground = await open();
  if (wanted('tell-across-threads')) yield await tell(ground);
  oneCpu();
  if (wanted('ask-across-two-shards')) {
    await using two = await openTwoShards();
    yield await two.askBetween();
  }
  if (wanted('ask-across-threads'))
    yield await ask(ground, 'ask-across-threads', 1.2, (n) => rawRoundTrip(ground, n), ASKS);
  if (wanted('ask-beside-comlink'))
    yield await ask(ground, 'ask-beside-comlink', 1, (n) => ground.comlink.echo(n), FEWER_ASKS);
  if (wanted('ask-beside-piscina'))
    yield await ask(ground, 'ask-beside-piscina', PISCINA_RATIO, (n) => ground.piscina.run({ n }), FEWER_ASKS);
}

/**
 * Pins all threads to one CPU. On several, the kernel chooses where each wakes, which can triple a round trip, and for one peer only.
 */
function oneCpu(): void {
  const allowed = /^Cpus_allowed_list:\s+.*?(\d+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', allowed, String(process.pid)], { stdio: 'ignore' });
}

interface Setup extends AsyncDisposable {
  readonly ref: Ref<BenchMessage>;
  readonly askRef: <R>(toMessage: (replyTo: Ref<R>) => BenchMessage) => Promise<R>;
  readonly raw: Worker;
  readonly comlink: Remote<typeof api>;
  readonly piscina: Piscina;
}

async function open(): Promise<Setup> {
  const system = createSystem();
  const shards = createShards<typeof behaviours>({
    system,
    count: 1,
    module: new URL('./peers/shard-behaviours.ts', import.meta.url),
    // The module takes none.
    options: undefined as never,
  });
  const { start, ...options } = shards.actor('worker', {});
  const ref = await system.start(start, options);
  const raw = new Worker(new URL('./peers/raw-worker.ts', import.meta.url));
  const forComlink = new Worker(new URL('./peers/comlink-worker.ts', import.meta.url));
  const piscina = new Piscina({
    filename: new URL('./peers/piscina-task.ts', import.meta.url).href,
    name: 'echo',
    minThreads: 1,
    maxThreads: 1,
  });
  return {
    ref,
    askRef: (toMessage) => system.ask(ref, toMessage, LONG_MS),
    raw,
    // A worker fits comlink's endpoint, but not its types.
    comlink: wrap<typeof api>(endpointOf(forComlink) as unknown as Parameters<typeof wrap>[0]),
    piscina,
    async [Symbol.asyncDispose]() {
      await system.shutdown();
      await shards.stop();
      await Promise.all([raw.terminate(), forComlink.terminate(), piscina.destroy()]);
    },
  };
}

/** Time of many messages in batches of 64, until the last has been handled. */
function tell({ ref, askRef, raw }: Setup): Promise<Row> {
  const count = TELL_BATCHES * BATCH;
  /** Of all numbers that were sent. */
  let expected = 0;
  return compare({
    name: 'tell-across-threads',
    unit: 'us a message',
    goal: { atMost: 1 },
    rounds: TELL_ROUNDS,
    ours: () =>
      usEach(count, async () => {
        for (let batch = 0; batch < TELL_BATCHES; batch++) {
          for (let n = 0; n < BATCH; n++) ref.tell({ kind: 'add', n: n + 1 });
          await Promise.resolve();
        }
        expected += TELL_BATCHES * sumOf(BATCH);
        const sum = await askRef<number>((replyTo) => ({ kind: 'sum', replyTo }));
        if (sum !== expected) throw lost(expected, sum);
      }),
    baseline: () =>
      usEach(count, async () => {
        for (let batch = 0; batch < TELL_BATCHES; batch++) {
          for (let n = 0; n < BATCH; n++) raw.postMessage({ kind: 'add', n });
          await Promise.resolve();
        }
        const reply = once(raw, 'message');
        raw.postMessage({ kind: 'sum' });
        await reply;
      }),
  });
}

/** Of the numbers from 1 to `last`. */
function sumOf(last: number): number {
  return (last * (last + 1)) / 2;
}

/** Median round trip of one question at a time. */
function ask(
  { askRef }: Setup,
  name: string,
  atMost: number,
  peer: (n: number) => Promise<unknown>,
  asks: number,
): Promise<Row> {
  return compare({
    name,
    unit: 'us',
    goal: { atMost },
    rounds: ASK_ROUNDS,
    ours: () => askRound(asks, (n) => askRef<number>((replyTo) => ({ kind: 'echo', n, replyTo }))),
    baseline: () => askRound(asks, peer),
  });
}

function rawRoundTrip({ raw }: Setup, n: number): Promise<unknown> {
  return new Promise((resolve) => {
    raw.once('message', resolve);
    raw.postMessage({ kind: 'echo', n });
  });
}

/** Comlink expects the listeners of a browser. */
function endpointOf(worker: Worker): object {
  return {
    postMessage: (message: unknown) => worker.postMessage(message),
    addEventListener: (_type: string, listener: (event: { data: unknown }) => void) =>
      worker.on('message', (data) => listener({ data })),
    removeEventListener: () => undefined,
  };
}
