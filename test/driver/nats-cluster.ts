import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '../../src/transport/kit/mod.ts';
import { eventually, randomPool } from './fleet.ts';

const CLIENT_PORT = 4222;
const ROUTE_PORT = 6222;

/** One nats-server of a cluster, on a loopback address of its own. */
export interface ClusterServer {
  readonly url: string;
  readonly ip: string;
  readonly port: number;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, at the same address. */
  start(): Promise<void>;
}

/** nats-servers that form a cluster; they end with the test. */
export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly ClusterServer[];
}

/** `await using cluster = await natsCluster(3);` */
export async function natsCluster(count: number): Promise<NatsCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-cluster-'));
  const network =
    randomPool(1)
      .split('-')[0]
      ?.replace(/\.\d+$/, '') ?? '127.0.0';
  const ips = Array.from({ length: count }, (_, index) => `${network}.${101 + index}`);
  const routes = ips.map((ip) => `nats-route://${ip}:${ROUTE_PORT}`);
  const servers = await Promise.all(ips.map((ip) => startServer(join(directory, ip), ip, routes)));
  return {
    servers,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startServer(directory: string, ip: string, routes: readonly string[]): Promise<ClusterServer> {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'nats.conf');
  writeFileSync(
    config,
    `server_name: "${ip}"
listen: "${ip}:${CLIENT_PORT}"
cluster { name: "test", listen: "${ip}:${ROUTE_PORT}", routes: ${JSON.stringify(routes.filter((route) => !route.includes(`/${ip}:`)))}, no_advertise: true }
`,
  );
  const run = () => spawn(findNatsServer(), ['-c', config], { stdio: 'ignore' });
  let child = run();
  const answers = async (): Promise<void> => {
    await eventually(`the nats-server at ${ip} answers`, () => canConnect(ip));
  };
  await answers();
  return {
    url: `nats://${ip}:${CLIENT_PORT}`,
    ip,
    port: CLIENT_PORT,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    start: async () => {
      child = run();
      await answers();
    },
  };
}

async function canConnect(host: string): Promise<true | undefined> {
  const socket = createConnection({ host, port: CLIENT_PORT });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
