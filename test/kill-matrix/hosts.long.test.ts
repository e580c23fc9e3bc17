/** Three hosts on a cluster of three nats-servers: whatever happens to one of them, each request ends once, and nothing is left. */
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../driver/fleet.ts';
import { TestHosts } from '../driver/hosts.ts';
import { leftovers } from '../driver/leftovers.ts';
import { qemusOf, sharedAddresses } from '../driver/processes.ts';
import { RequestHistory, startLoad } from '../driver/request-history.ts';
import { randomFrom, seed } from '../driver/seed.ts';
import { addUp, oneOf } from './rounds.ts';

const FLAGS = [
  ['--min', '2'],
  ['--set', 'status_interval_ms=200'],
  ['--set', 'last_connect_ms=1500'],
  ['--set', 'free_count=100000'],
].flat();
const WORKERS = 8;
const DEADLINE_MS = 4_000;
const CALM = 100;
/** Longer than it takes to count a silent host as lost (3 s). */
const PAST_DETECTION_MS = 5_000;
/** More than a host may take to come back to NATS. */
const LOOKS_MAX = 1_000;

interface Run {
  readonly hosts: TestHosts;
  readonly history: RequestHistory;
  readonly random: (below: number) => number;
}

// pause: how long a fault lasts is under test
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const LEAVES = 'a host leaves in order and comes back';

/** What may befall hosts and servers. It resolves when all is in order again. */
const FAULTS: Readonly<Record<string, (run: Run) => Promise<void>>> = {
  'a host is killed, with all that runs on it': async ({ hosts, history, random }) => {
    const host = oneOf(hosts.hosts, random);
    await host.kill();
    await history.replies(CALM);
    await host.resume();
  },
  'Shoal is killed on a host, and its VMs go on': async ({ hosts, history, random }) => {
    const host = oneOf(hosts.hosts, random);
    await host.fleet.kill();
    await history.replies(CALM);
    await host.resume();
  },
  'a host stands still for longer than it takes to be lost': async ({ hosts, random }) => {
    const goOn = oneOf(hosts.hosts, random).standStill();
    // pause: the length of the stop is under test
    await pause(PAST_DETECTION_MS);
    goOn();
  },
  'a host is cut off': (run) => cutOff(run, 'out', 'in'),
  'a host hears, and is not heard': (run) => cutOff(run, 'out'),
  'a host is heard, and does not hear': (run) => cutOff(run, 'in'),
  'a nats-server is killed': async ({ hosts, history, random }) => {
    const server = oneOf(hosts.cluster.servers, random);
    await server.kill();
    await history.replies(CALM);
    await server.start();
  },
  'all nats-servers are killed': async ({ hosts }) => {
    await Promise.all(hosts.cluster.servers.map((server) => server.kill()));
    await Promise.all(hosts.cluster.servers.map((server) => server.start()));
  },
  [LEAVES]: async ({ hosts, history, random }) => {
    const host = oneOf(hosts.hosts, random);
    expect(await host.fleet.stop()).toMatchObject({ exitCode: 0 });
    await history.replies(CALM);
    await host.resume();
  },
};

async function cutOff({ hosts, random }: Run, ...ways: ('out' | 'in')[]): Promise<void> {
  const host = oneOf(hosts.hosts, random);
  host.cut(...ways);
  // pause: the length of the cut is under test
  await pause(PAST_DETECTION_MS);
  host.heal();
}

test.each(Object.keys(FAULTS))(
  `under load %s: each request ends once, and nothing is left (SHOAL_SEED=${seed})`,
  async (name) => {
    const random = randomFrom(seed);
    const hosts = await TestHosts.start({ flags: FLAGS });
    onTestFinished(() => hosts[Symbol.asyncDispose]());
    const places = hosts.hosts.map(({ fleet }) => ({ data: fleet.data, pool: fleet.pool }));
    // A server that dies may have passed on a reply and not its end, so that home tells it again (docs/rules.md, R11).
    const history = await RequestHistory.open(hosts, name.includes('nats-server'));
    const load = startLoad({ history, workers: WORKERS, deadlineMs: DEADLINE_MS, random });
    const shared: string[] = [];
    const looking = setInterval(() => shared.push(...places.flatMap(sharedAddresses)), 50);
    try {
      await history.replies(CALM);
      const isOver = history.outage();
      await FAULTS[name]?.({ hosts, history, random });
      await inOrder(hosts);
      isOver();
      await history.replies(CALM);
    } finally {
      await load.stop();
      clearInterval(looking);
    }
    const sums = await history.close();
    expect(sums.broken).toEqual([]);
    expect(sums.repeated.length).toBeLessThanOrEqual(WORKERS);
    addUp(sums);
    if (name === LEAVES) expect(sums.reasons).not.toHaveProperty('host-lost');
    expect(shared, 'addresses on two VMs').toEqual([]);
    await hosts[Symbol.asyncDispose]();
    for (const place of places) expect(leftovers(place)).toEqual({ processes: [], runDirectories: [], ports: [] });
  },
);

/** Each host has what its rules promise: the minimum of VMs, one QEMU for each; and it knows the others. */
async function inOrder(hosts: TestHosts): Promise<void> {
  for (const host of hosts.hosts) {
    let seen = '';
    const look = async (): Promise<true | undefined> => {
      const { vms, neighbours } = await host.snapshot(hosts.nats);
      const running = qemusOf(host.fleet).flatMap(({ address }) => address ?? []);
      const told = vms.filter(({ state }) => state === 'ready').map(({ address }) => address);
      seen = JSON.stringify({ vms, running, neighbours });
      if (neighbours.length < hosts.hosts.length - 1) return undefined;
      return told.length >= 2 && running.toSorted().join() === told.toSorted().join() ? true : undefined;
    };
    await eventually(`host ${host.name} is in order`, () => look().catch(() => undefined), LOOKS_MAX).catch(
      (cause: unknown) => {
        throw new Error(`host ${host.name}, seen last: ${seen}`, { cause });
      },
    );
  }
}
