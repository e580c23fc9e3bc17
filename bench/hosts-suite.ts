import { connect } from '../src/client/mod.ts';
import { signalProcess } from '../src/process/mod.ts';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { qemusOf } from '../test/driver/processes.ts';
import { compare, type Round, type Row, rowOf } from './compare.ts';
import { startEcho } from './peers/node-responder.ts';
import { PlainClient } from './peers/plain-client.ts';
import { cpuMsOf } from './proc.ts';
import { manyRequests, meanMs, perSecond } from './throughput.ts';

const ROUNDS = 5;
const REQUESTS = 10_000;
const SEQUENTIAL_REQUESTS = 500;
const VMS = 6;
const TEXT = 'sixteen byte text';
const AT_ONCE = ['--set', 'vm_requests_max=64'];
/** Loss of a host to the reply elsewhere, at the defaults. */
const FAILOVER_MS_MAX = 5_000;
const FAILOVER_ROUNDS = 3;
/** Few: 48 of them were 7.2 s of work for two cores, which hid the time that the loss costs. */
const FAILOVER_REQUESTS = 12;
const SPIN_MS = '300';

/** What several hosts cost and gain, beside one host with as many VMs on the same NATS server. */
export async function* hostsSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('cpu-a-request')) {
    yield* cpuSuite(2);
    yield* cpuSuite(3);
  }
  if (wanted('handed-on')) yield* handedOn();
  if (wanted('requests-per-second-of-three')) yield* throughput();
  if (wanted('failover')) yield* failover();
}

/** A fleet of some hosts on a server that others use, too. */
class Hosts implements AsyncDisposable {
  readonly name: string;
  readonly fleets: readonly TestFleet[];
  readonly client: PlainClient;

  private constructor(name: string, fleets: readonly TestFleet[], client: PlainClient) {
    this.name = name;
    this.fleets = fleets;
    this.client = client;
  }

  static async start(nats: string, name: string, hosts: readonly HostFlags[]): Promise<Hosts> {
    const fleets: TestFleet[] = [];
    for (const [index, { role = 'up', flags }] of hosts.entries()) {
      const place = ['--nats', nats, '--fleet', name, '--host', `${name}-${index}`];
      fleets.push(await TestFleet.start({ role, pool: randomPool(VMS), flags: [...place, ...flags] }));
    }
    return new Hosts(name, fleets, await PlainClient.open(nats, name));
  }

  get cpuMs(): number {
    return this.fleets.reduce((sum, { up }) => sum + cpuMsOf(up.pid), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    for (const fleet of this.fleets) await fleet[Symbol.asyncDispose]();
  }
}

interface HostFlags {
  readonly role?: 'up' | 'server' | 'controller';
  readonly flags: readonly string[];
}

function vms(count: number): HostFlags {
  return { flags: ['--min', String(count), ...AT_ONCE] };
}

/**
 * CPU of the Shoal processes for a request that has a free VM on the host it comes to: on several hosts that are linked, beside as many that
 * know nothing of each other, and beside one. Of the same load each of several gets a part, wakes up as often, and does less each time: that
 * is no cost of the links, so only the row beside hosts without links has a goal.
 */
async function* cpuSuite(count: number): AsyncIterable<Row> {
  await using nats = await realNatsServer();
  await using one = await Hosts.start(nats.url, 'one', [vms(4)]);
  await using apart = new AsyncDisposableStack();
  const alone: Hosts[] = [];
  for (let index = 0; index < count; index++)
    alone.push(apart.use(await Hosts.start(nats.url, `alone-${index}`, [vms(4)])));
  await using linked = await Hosts.start(
    nats.url,
    'linked',
    Array.from({ length: count }, () => vms(4)),
  );
  yield await compare({
    ...{ name: `cpu-a-request-at-home-of-${count}`, unit: 'us of CPU', goal: { atMost: 1.2 }, rounds: ROUNDS },
    ours: () => cpuARequest([linked]),
    baseline: () => cpuARequest(alone),
  });
  yield await compare({
    ...{ name: `cpu-a-request-of-${count}-beside-one`, unit: 'us of CPU', rounds: ROUNDS },
    ours: () => cpuARequest([linked]),
    baseline: () => cpuARequest([one]),
  });
}

/** @param fleets those that the requests go to in turn */
async function cpuARequest(fleets: readonly Hosts[]): Promise<number> {
  const cpuMs = (): number => fleets.reduce((sum, fleet) => sum + fleet.cpuMs, 0);
  const before = cpuMs();
  let next = 0;
  await manyRequests(REQUESTS, async () => {
    const fleet = fleets[next++ % fleets.length];
    await fleet?.client.request(TEXT);
  });
  return ((cpuMs() - before) * 1000) / REQUESTS;
}

/** A host that takes requests and has no VMs, and one that has them: each request is handed on. */
async function* handedOn(): AsyncIterable<Row> {
  await using nats = await realNatsServer();
  await using echo = await startEcho(nats.url);
  await using one = await Hosts.start(nats.url, 'one', [vms(2)]);
  await using two = await Hosts.start(nats.url, 'two', [
    { ...vms(2), role: 'controller' },
    { role: 'server', flags: [] },
  ]);
  yield await compare({
    ...{ name: 'handed-on-cpu-a-request', unit: 'us of CPU', rounds: ROUNDS },
    ours: () => cpuARequest([two]),
    baseline: () => cpuARequest([one]),
  });
  yield await compare({
    ...{ name: 'handed-on-latency', unit: 'ms', goal: { atMost: 1.3 }, rounds: ROUNDS },
    ours: () => meanMs(SEQUENTIAL_REQUESTS, () => two.client.request(TEXT)),
    baseline: () =>
      meanMs(SEQUENTIAL_REQUESTS, async () => {
        await one.client.request(TEXT);
        await echo.request(TEXT);
      }),
  });
}

/** As many VMs on one host and on three: all of them have the same two cores here. */
async function* throughput(): AsyncIterable<Row> {
  await using nats = await realNatsServer();
  await using one = await Hosts.start(nats.url, 'one', [vms(VMS)]);
  await using three = await Hosts.start(nats.url, 'three', [vms(VMS / 3), vms(VMS / 3), vms(VMS / 3)]);
  yield await compare({
    ...{ name: 'requests-per-second-of-three', unit: 'requests/s', rounds: ROUNDS },
    ours: () => perSecond(REQUESTS, () => three.client.request(TEXT)),
    baseline: () => perSecond(REQUESTS, () => one.client.request(TEXT)),
  });
}

/** From the death of a host, with all that runs on it, until each request that was under way has its reply. */
async function* failover(): AsyncIterable<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round < FAILOVER_ROUNDS; round++) {
    await using nats = await realNatsServer();
    await using three = await Hosts.start(nats.url, `failover-${round}`, [vms(2), vms(2), vms(2)]);
    await using client = await connect({ servers: nats.url, fleet: three.name });
    const [host] = three.fleets;
    if (host === undefined) return;
    const underWay = Array.from({ length: FAILOVER_REQUESTS }, () => client.request(SPIN_MS, { op: 'spin' }));
    // pause: until they have come to their hosts
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startMs = performance.now();
    const qemus = qemusOf(host);
    host.up.signal('SIGKILL');
    for (const { identity } of qemus) signalProcess(identity, 'SIGKILL');
    await Promise.all(underWay);
    rounds.push({ ours: performance.now() - startMs, baseline: FAILOVER_MS_MAX });
  }
  yield rowOf({ name: 'failover-of-a-host', unit: 'ms', goal: { atMost: 1 } }, rounds);
}
