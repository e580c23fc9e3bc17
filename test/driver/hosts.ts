import { randomBytes } from 'node:crypto';
import { askFleet } from '../../src/app/mod.ts';
import type { FleetSnapshot } from '../../src/fleet/mod.ts';
import { identify, type ProcessIdentity, signalProcess } from '../../src/process/mod.ts';
import { type NatsCluster, natsCluster } from '../../src/transport/kit/mod.ts';
import { randomPool, TestFleet } from './fleet.ts';
import { launcherOf, processesOf } from './processes.ts';
import { type TcpProxy, tcpProxy, type Way } from './tcp-proxy.ts';

export interface TestHostsOptions {
  /** How many; default 3. */
  readonly hosts?: number;
  /** nats-servers of the cluster; default 3. */
  readonly servers?: number;
  /** Addresses of each host; default 4. */
  readonly addresses?: number;
  /** Further flags of each `up`. */
  readonly flags?: readonly string[];
}

/** One host of a fleet: a whole Shoal, whose way to NATS can be cut. */
export class TestHost {
  readonly name: string;
  fleet: TestFleet;
  readonly #ways: readonly TcpProxy[];

  constructor(name: string, fleet: TestFleet, ways: readonly TcpProxy[]) {
    this.name = name;
    this.fleet = fleet;
    this.#ways = ways;
  }

  /** The machine loses power: all of its processes are killed at once. */
  async kill(): Promise<void> {
    for (const one of this.processes()) signalProcess(one, 'SIGKILL');
    await this.fleet.up.finished;
  }

  async resume(): Promise<void> {
    this.fleet = await this.fleet.resume();
  }

  /** The whole machine stands still. @returns a function that has it go on */
  standStill(): () => void {
    const stopped = this.processes();
    for (const one of stopped) signalProcess(one, 'SIGSTOP');
    return () => {
      for (const one of stopped.toReversed()) signalProcess(one, 'SIGCONT');
    };
  }

  cut(...ways: readonly Way[]): void {
    for (const way of this.#ways) way.cut(...ways);
  }

  heal(): void {
    for (const way of this.#ways) way.heal();
  }

  /** The data of this host's `ps`. @param servers another way to it than its own, which may be cut */
  snapshot(servers: string): Promise<FleetSnapshot> {
    return askFleet<FleetSnapshot>({ servers, fleet: this.fleet.ready.fleet }, 'ps', {}, this.name);
  }

  async close(): Promise<void> {
    this.heal();
    await this.fleet[Symbol.asyncDispose]();
    await Promise.all(this.#ways.map((way) => way[Symbol.asyncDispose]()));
  }

  /** Shoal, its launcher and its VMs. */
  processes(): ProcessIdentity[] {
    const up = identify(this.fleet.up.pid);
    const launcher = launcherOf(this.fleet.up);
    const others = processesOf(this.fleet).map(({ identity }) => identity);
    return [up, launcher, ...others].flatMap((one) => one ?? []);
  }
}

/** A fleet of several hosts, each a process with a pool of its own, on a cluster of nats-servers. */
export class TestHosts implements AsyncDisposable {
  readonly cluster: NatsCluster;
  readonly hosts: readonly TestHost[];
  readonly fleet: string;
  #closing: Promise<void> | undefined;

  private constructor(cluster: NatsCluster, hosts: readonly TestHost[], fleet: string) {
    this.cluster = cluster;
    this.hosts = hosts;
    this.fleet = fleet;
  }

  static async start({ hosts = 3, servers = 3, addresses = 4, flags = [] }: TestHostsOptions = {}): Promise<TestHosts> {
    const cluster = await natsCluster(servers);
    const fleet = `hosts-${randomBytes(4).toString('hex')}`;
    const started: TestHost[] = [];
    try {
      for (let index = 0; index < hosts; index++) {
        const name = String.fromCharCode(97 + index);
        const ways = await Promise.all(cluster.servers.map(({ url }) => proxyTo(url)));
        const nats = ways.map(({ port }) => `nats://127.0.0.1:${port}`).join(',');
        const more = ['--nats', nats, '--fleet', fleet, '--host', name, ...flags];
        const one = await TestFleet.start({ pool: randomPool(addresses), flags: more });
        started.push(new TestHost(name, one, ways));
      }
    } catch (error) {
      await Promise.all(started.map((host) => host.close()));
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return new TestHosts(cluster, started, fleet);
  }

  /** Where clients reach the fleet: all servers of the cluster, directly. */
  get nats(): string {
    return this.cluster.servers.map(({ url }) => url).join(',');
  }

  get subject(): string {
    return `shoal.${this.fleet}.process`;
  }

  host(index: number): TestHost {
    const one = this.hosts[index];
    if (one === undefined) throw new Error(`there is a host ${index}`);
    return one;
  }

  /** A second call does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.cluster[Symbol.asyncDispose]();
  }
}

function proxyTo(url: string): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(url);
  return tcpProxy({ host, port: Number(port) });
}
