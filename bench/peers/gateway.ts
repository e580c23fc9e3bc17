import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomPool } from '../../test/driver/fleet.ts';
import { endChild, startChild } from './child.ts';
import { HttpClient } from './http-client.ts';

export type GatewayKind = 'haproxy-http' | 'haproxy-tcp' | 'nginx';

const PORT = 8080;
const LOOKS_MAX = 500;
const BETWEEN_LOOKS_MS = 20;

/** The same VMs behind a load balancer of Debian's, which gives a request, or a connection, to the VM with the fewest. */
export class Gateway implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #client: HttpClient;
  readonly #folder: string;

  private constructor(child: ChildProcess, client: HttpClient, folder: string) {
    this.#child = child;
    this.#client = client;
    this.#folder = folder;
  }

  /** @throws Error that names the package if the program is missing */
  static async start(kind: GatewayKind, addresses: readonly string[], connections: number): Promise<Gateway> {
    const program = kind === 'nginx' ? 'nginx' : 'haproxy';
    if (spawnSync(program, ['-v']).error !== undefined) {
      throw new Error(`${program} is not installed: apt-get install haproxy nginx-light`);
    }
    const folder = mkdtempSync(join(tmpdir(), 'shoal-gateway-'));
    // Of the loopback addresses that tests take.
    const ip = randomPool(1).split('-')[0] ?? '';
    const file = join(folder, 'gateway.conf');
    writeFileSync(file, kind === 'nginx' ? nginxConf(folder, ip, addresses) : haproxyConf(kind, ip, addresses));
    const args = kind === 'nginx' ? ['-c', file, '-e', 'stderr', '-p', folder] : ['-db', '-f', file];
    const child = startChild(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    await listens(ip);
    return new Gateway(child, new HttpClient(`http://${ip}:${PORT}`, connections), folder);
  }

  request(text: string, op: string): Promise<string> {
    return this.#client.request(text, op);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await endChild(this.#child, 'SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function haproxyConf(kind: GatewayKind, ip: string, addresses: readonly string[]): string {
  const isHttp = kind === 'haproxy-http';
  return lines(
    'defaults',
    `  mode ${isHttp ? 'http' : 'tcp'}`,
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    ...(isHttp ? ['  http-reuse always'] : []),
    'frontend requests',
    `  bind ${ip}:${PORT}`,
    '  default_backend vms',
    'backend vms',
    '  balance leastconn',
    ...addresses.map((address, at) => `  server vm${at} ${address}`),
  );
}

function nginxConf(folder: string, ip: string, addresses: readonly string[]): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return lines(
    'daemon off;',
    `pid ${folder}/pid;`,
    'worker_processes 1;',
    'events { worker_connections 1024; }',
    'http {',
    '  access_log off;',
    ...paths.map((name) => `  ${name}_temp_path ${folder}/${name};`),
    '  upstream vms {',
    '    least_conn;',
    ...addresses.map((address) => `    server ${address};`),
    `    keepalive ${addresses.length};`,
    '  }',
    '  server {',
    `    listen ${ip}:${PORT};`,
    '    keepalive_requests 1000000;',
    '    location / {',
    '      proxy_pass http://vms;',
    '      proxy_http_version 1.1;',
    '      proxy_set_header Connection "";',
    '    }',
    '  }',
    '}',
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

async function listens(ip: string): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (await accepts(ip)) return;
    await sleep(BETWEEN_LOOKS_MS);
  }
  throw new Error(`nothing listens at ${ip}:${PORT}`);
}

function accepts(ip: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(PORT, ip);
  socket.on('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}
