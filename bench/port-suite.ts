import { readFileSync } from 'node:fs';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';
import { PlainClient } from './peers/plain-client.ts';
import { pssBytesOf } from './proc.ts';
import { qemuPids } from './qemu-pids.ts';
import { BUSY_FLAGS, meanMs, perSecond } from './throughput.ts';

const ROUNDS = 7;
const SEQUENTIAL_REQUESTS = 500;
const THROUGHPUT_REQUESTS = 30_000;
const MEMORY_VMS = 10;
const MEMORY_ROUNDS = 3;
const TEXT = 'sixteen byte text';

/** The same fleet without a network, each VM's link over a port, beside one over TCP. */
export async function* portSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('one-at-a-time-over-a-port')) yield* oneAtATime();
  if (wanted('requests-per-second-over-a-port')) yield* requestsPerSecond();
  if (wanted('memory-of-a-vm-without-a-network')) yield* memory();
}

interface Side extends AsyncDisposable {
  readonly fleet: TestFleet;
  readonly client: PlainClient;
}

async function side(network: 'user' | 'none', flags: readonly string[] = [], addresses = 4): Promise<Side> {
  const fleet = await TestFleet.start({ network, flags, addresses, pool: randomPool(addresses) });
  const client = await PlainClient.open(fleet.ready.nats, fleet.ready.fleet);
  return {
    fleet,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

async function* oneAtATime(): AsyncIterable<Row> {
  await using port = await side('none');
  await using tcp = await side('user');
  yield await compare({
    name: 'one-at-a-time-over-a-port',
    unit: 'ms',
    goal: { atMost: 1 },
    rounds: ROUNDS,
    ours: () => meanMs(SEQUENTIAL_REQUESTS, () => port.client.request(TEXT)),
    baseline: () => meanMs(SEQUENTIAL_REQUESTS, () => tcp.client.request(TEXT)),
  });
}

async function* requestsPerSecond(): AsyncIterable<Row> {
  await using port = await side('none', BUSY_FLAGS);
  await using tcp = await side('user', BUSY_FLAGS);
  yield await compare({
    name: 'requests-per-second-over-a-port',
    unit: 'requests/s',
    goal: { atLeast: 1 },
    rounds: ROUNDS,
    ours: () => perSecond(THROUGHPUT_REQUESTS, () => port.client.request(TEXT)),
    baseline: () => perSecond(THROUGHPUT_REQUESTS, () => tcp.client.request(TEXT)),
  });
}

async function* memory(): AsyncIterable<Row> {
  const flags = ['--min', String(MEMORY_VMS)];
  await using port = await side('none', flags, MEMORY_VMS + 1);
  await using tcp = await side('user', flags, MEMORY_VMS + 1);
  yield await compare({
    name: 'memory-of-a-vm-without-a-network',
    unit: 'bytes',
    goal: { atMost: 0.65 },
    rounds: MEMORY_ROUNDS,
    ours: () => pssOfVm(port),
    baseline: () => pssOfVm(tcp),
  });
}

async function pssOfVm({ fleet }: Side): Promise<number> {
  const pids = await qemuPids(fleet);
  return [...pids, ...pids.flatMap(wrapperOf)].reduce((sum, pid) => sum + pssBytesOf(pid), 0) / pids.length;
}

/** What confines a QEMU takes memory of its own. */
function wrapperOf(pid: number): readonly number[] {
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  return readFileSync(`/proc/${parent}/comm`, 'latin1') === 'bwrap\n' ? [parent] : [];
}
