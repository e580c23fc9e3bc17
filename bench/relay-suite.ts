import { connect } from '../src/client/mod.ts';
import { TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';

const ROUNDS = 15;
/** The VM that runs is busy for so long: the next request needs another one. */
const BUSY_MS = 400;
const FLAGS = ['--set', 'free_count=1', '--set', 'status_interval_ms=50'];

/** A request that needs a second VM, until its reply: with a start command that the first VM relays, beside a direct one (R10). */
export async function* relaySuite(): AsyncIterable<Row> {
  await using relayed = await TestFleet.start({ flags: [...FLAGS, '--control', 'relay'] });
  await using direct = await TestFleet.start({ flags: FLAGS });
  await using relayedClient = await connect({ servers: relayed.ready.nats });
  await using directClient = await connect({ servers: direct.ready.nats });
  const start = async (fleet: TestFleet, client: typeof directClient): Promise<number> => {
    await fleet.until('one VM is left', ({ vms }) => vms.length === 1 && vms[0]?.state === 'ready');
    const busy = client.request(String(BUSY_MS), { op: 'spin' });
    await fleet.until('it is busy', ({ vms }) => vms.some(({ in_flight }) => in_flight > 0));
    const startMs = performance.now();
    await client.request('text');
    const tookMs = performance.now() - startMs;
    await busy;
    return tookMs;
  };
  yield await compare({
    name: 'start-by-relay',
    unit: 'ms',
    // 20 ms more than the 60 to 100 ms of a direct start.
    goal: { atMost: 1.25 },
    rounds: ROUNDS,
    ours: () => start(relayed, relayedClient),
    baseline: () => start(direct, directClient),
  });
}
