import { defaultImage } from '../src/app/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';
import { manyVmsSuite } from './many-vms-suite.ts';
import { BareQemu } from './peers/bare-qemu.ts';
import { startEcho } from './peers/node-responder.ts';
import { PlainClient } from './peers/plain-client.ts';
import { portSuite } from './port-suite.ts';
import { relaySuite } from './relay-suite.ts';
import { startSuite } from './start-suite.ts';
import { BUSY_FLAGS, meanMs, perSecond } from './throughput.ts';

const SEQUENTIAL_ROUNDS = 7;
const SEQUENTIAL_REQUESTS = 500;
const THROUGHPUT_ROUNDS = 7;
const THROUGHPUT_REQUESTS = 30_000;
const TEXT = 'sixteen byte text';
const PORT = 9000;

/** The performance that a user of one host notices: start of a VM, latency, throughput. */
export async function* mainSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  yield* startSuite(wanted);
  if (wanted('start-by-relay')) yield* relaySuite();
  if (wanted('one-at-a-time')) yield* sequentialSuite();
  if (wanted('requests-per-second')) yield* throughputSuite();
  yield* manyVmsSuite(wanted);
  yield* portSuite(wanted);
}

/** Latency of one request at a time, beside a NATS echo and a frame straight to the VM, one after the other. */
async function* sequentialSuite(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start();
  await using echo = await startEcho(fleet.ready.nats);
  const { accelerator } = fleet.ready;
  await using client = await PlainClient.open(fleet.ready.nats, fleet.ready.fleet);
  const qemu = new BareQemu({ image: defaultImage(), accelerator, ip: randomPool(1).split('-')[0] ?? '', port: PORT });
  try {
    await qemu.ready();
    const link = await qemu.link();
    yield await compare({
      name: 'one-at-a-time',
      unit: 'ms',
      goal: { atMost: 1.15 },
      rounds: SEQUENTIAL_ROUNDS,
      ours: () => meanMs(SEQUENTIAL_REQUESTS, () => client.request(TEXT)),
      baseline: () =>
        meanMs(SEQUENTIAL_REQUESTS, async () => {
          await echo.request(TEXT);
          await link.request(TEXT);
        }),
    });
    link.close();
  } finally {
    await qemu.kill();
  }
}

/** Requests a second with many in flight, beside an echo in Node on the same NATS server with the same client. */
async function* throughputSuite(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ flags: BUSY_FLAGS });
  await using echo = await startEcho(fleet.ready.nats);
  await using client = await PlainClient.open(fleet.ready.nats, fleet.ready.fleet);
  yield await compare({
    name: 'requests-per-second',
    unit: 'requests/s',
    goal: { atLeast: 0.8 },
    rounds: THROUGHPUT_ROUNDS,
    ours: () => perSecond(THROUGHPUT_REQUESTS, () => client.request(TEXT)),
    baseline: () => perSecond(THROUGHPUT_REQUESTS, () => echo.request(TEXT)),
  });
}
