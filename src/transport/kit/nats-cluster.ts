import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../actors/mod.ts';
import { type ProcessIdentity, signalProcess, whenGone } from '../../process/mod.ts';
import { freePort } from '../own-server/free-port.ts';
import { findNatsServer } from '../own-server/program.ts';
import { directSpawner } from './direct-spawner.ts';
import { greeted } from './greeted.ts';

const GONE_MS = 5_000;
const PORT_PATIENCE_MS = 2_000;

/** One server of a cluster, on a loopback address of its own. */
export interface ClusterServer {
  readonly url: string;
  readonly process: ProcessIdentity;
  /** SIGSTOP pauses it, SIGCONT resumes it. */
  signal(signal: NodeJS.Signals): void;
  /** With SIGKILL. Its disk stays. */
  kill(): Promise<void>;
  /** After `kill`: on the same disk, address and ports. */
  start(): Promise<void>;
}

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly ClusterServer[];
  /** The addresses of all, as `connect` takes them. */
  readonly urls: string;
}

/**
 * A cluster of nats-servers with JetStream for one test; it ends with the test.
 * @param routes for the servers A and B the address at which A reaches B, such as a proxy's; default B's own
 */
export async function natsCluster(
  count = 3,
  routes: (from: number, to: number, address: { readonly host: string; readonly port: number }) => string = (
    _from,
    _to,
    { host, port },
  ) => `${host}:${port}`,
): Promise<NatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-cluster-'));
  const places = await Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      host: `127.0.0.${index + 2}`,
      client: await freePort(0, PORT_PATIENCE_MS, systemClock),
      route: await freePort(0, PORT_PATIENCE_MS, systemClock),
    })),
  );
  const servers = await Promise.all(
    places.map(async ({ host, client, route }, index) => {
      const others = places.flatMap((one, to) =>
        to === index ? [] : [`nats-route://${routes(index, to, { host: one.host, port: one.route })}`],
      );
      const config = join(directory, `n${index}.conf`);
      await writeFile(
        config,
        [
          `server_name: n${index}`,
          `listen: "${host}:${client}"`,
          `jetstream { store_dir: ${JSON.stringify(join(directory, `n${index}`))}, max_file_store: 67108864, max_memory_store: 16777216 }`,
          `cluster { name: c, listen: "${host}:${route}", no_advertise: true, routes: ${JSON.stringify(others)} }`,
          '',
        ].join('\n'),
      );
      return clusterServer(directory, index, config, { host, port: client });
    }),
  );
  return {
    servers,
    urls: servers.map(({ url }) => url).join(','),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function clusterServer(
  directory: string,
  index: number,
  config: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ClusterServer> {
  const spawn = async (): Promise<ProcessIdentity> => {
    const process = await directSpawner().spawn({
      command: findNatsServer(),
      args: ['-c', config],
      cwd: directory,
      stderrPath: join(directory, `n${index}.log`),
    });
    await greeted(host, port);
    return process;
  };
  let process = await spawn();
  return {
    url: `nats://${host}:${port}`,
    get process() {
      return process;
    },
    signal: (signal) => {
      signalProcess(process, signal);
    },
    kill: async () => {
      signalProcess(process, 'SIGKILL');
      await whenGone(process, GONE_MS, systemClock);
    },
    start: async () => {
      process = await spawn();
    },
  };
}
