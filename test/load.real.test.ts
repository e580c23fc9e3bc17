import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../src/client/mod.ts';
import { TestFleet } from './driver/fleet.ts';

let fleet: TestFleet;
let client: Client;
beforeAll(async () => {
  fleet = await TestFleet.start({ flags: ['--set', 'vm_requests_max=64'] });
  client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
});
afterAll(async () => {
  await client?.close();
  await fleet?.stop();
});

const REQUESTS = 10_000;
const IN_FLIGHT = 256;
/** NATS takes a megabyte with its headers; the text may fill nearly all of it. */
const TEXT_BYTES_MAX = 1_000_000;

test('10 000 pipelined requests of random sizes up to the maximum are each answered once, with their own reply', async () => {
  let sent = 0;
  let answered = 0;
  const one = async (): Promise<void> => {
    const text = randomText(sent++);
    const reply = await client.request(text, { op: 'sha256' });
    expect(reply.text).toBe(createHash('sha256').update(text).digest('hex'));
    answered += 1;
  };
  const worker = async (): Promise<void> => {
    while (sent < REQUESTS) await one();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  expect(answered).toBe(REQUESTS);
});

/** Most are small, as in life; some are large, and the largest of all are among them. */
function randomText(index: number): string {
  const bytes = index % 500 === 0 ? TEXT_BYTES_MAX : Math.floor(2 ** (Math.random() * 14));
  const seed = randomBytes(12).toString('hex');
  return `${index} ${seed} `.repeat(Math.ceil(bytes / 20)).slice(0, bytes);
}

test('a guest that computes for three times last_connect_ms keeps reporting, and keeps its life', async () => {
  await using busy = await TestFleet.start({
    flags: ['--set', 'last_connect_ms=600', '--set', 'status_interval_ms=100'],
  });
  const patient = await connect({ servers: busy.ready.nats, fleet: busy.ready.fleet });
  try {
    const computing = patient.request('1800', { op: 'spin' });
    let done = false;
    void computing.finally(() => {
      done = true;
    });
    // While it computes it is seen at work: reports of a busy CPU come in between.
    await busy.until(
      'it reports while it computes',
      ({ vms: [vm] }) => done || (vm?.in_flight === 1 && (vm.cpu ?? 0) > 50),
    );
    expect(done).toBe(false);
    expect(await computing).toMatchObject({ text: 'spun 1800', vm: 1 });
    expect((await busy.snapshot()).vms).toMatchObject([{ id_vmachine: 1, state: 'ready' }]);
  } finally {
    await patient.close();
  }
});
