import { defaultImage } from '../src/app/mod.ts';
import { connect } from '../src/client/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';
import { manyVmsSuite } from './many-vms-suite.ts';
import { BareQemu } from './peers/bare-qemu.ts';
import { Echo } from './peers/echo.ts';
import { PlainClient } from './peers/plain-client.ts';
import { portSuite } from './port-suite.ts';
import { relaySuite } from './relay-suite.ts';
import { BUSY_FLAGS, meanMs, perSecond } from './throughput.ts';

const START_ROUNDS = 15;
const SEQUENTIAL_ROUNDS = 7;
const SEQUENTIAL_REQUESTS = 500;
const THROUGHPUT_ROUNDS = 7;
const THROUGHPUT_REQUESTS = 30_000;
const TEXT = 'sixteen byte text';
const PORT = 9000;

/** The performance that a user of one host notices: start of a VM, latency, throughput. */
export async function* mainSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('start-from-nothing')) yield* startSuite('start-from-nothing', 0, 1.2);
  if (wanted('start-from-spare')) yield* startSuite('start-from-spare', 1, 0.35);
  if (wanted('start-by-relay')) yield* relaySuite();
  if (wanted('one-at-a-time')) yield* sequentialSuite();
  if (wanted('requests-per-second')) yield* throughputSuite();
  yield* manyVmsSuite(wanted);
  yield* portSuite(wanted);
}

/** A request that finds no VM, until its reply, beside the same image started by hand until its first reply. */
async function* startSuite(name: string, spares: number, atMost: number): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({
    flags: [
      '--min',
      '0',
      '--set',
      `spare_vm_count=${spares}`,
      '--set',
      'free_count=1',
      '--set',
      'status_interval_ms=50',
    ],
  });
  const client = await connect({ servers: fleet.ready.nats });
  const { accelerator } = fleet.ready;
  const image = defaultImage();
  const ip = randomPool(1).split('-')[0] ?? '';
  try {
    yield await compare({
      name,
      unit: 'ms',
      goal: { atMost },
      rounds: START_ROUNDS,
      ours: async () => {
        await rested(fleet, spares);
        const startMs = performance.now();
        await client.request(TEXT);
        return performance.now() - startMs;
      },
      baseline: async () => {
        const startMs = performance.now();
        const qemu = new BareQemu({ image, accelerator, ip, port: PORT });
        try {
          await qemu.ready();
          const link = await qemu.link();
          await link.request(TEXT);
          const ms = performance.now() - startMs;
          link.close();
          return ms;
        } finally {
          await qemu.kill();
        }
      },
    });
  } finally {
    await client.close();
  }
}

/** Resolves when only prepared spares are left: the fleet has scaled to zero. */
async function rested(fleet: TestFleet, spares: number): Promise<void> {
  await fleet.until(
    'only spares are left',
    ({ vms }) => vms.length === spares && vms.every((vm) => vm.state === 'prepared'),
  );
}

/** Latency of one request at a time, beside a NATS echo and a frame straight to the VM, one after the other. */
async function* sequentialSuite(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start();
  await using echo = await Echo.start(fleet.ready.nats);
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
  await using echo = await Echo.start(fleet.ready.nats);
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
