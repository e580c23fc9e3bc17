import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../src/client/mod.ts';
import { TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';

const DEPLOYS = 9;
const CUTS = 15;
const BETWEEN_LOOKS_MS = 2;
const LOOKS_MAX = 10_000;
const DEADLINE_MS = 100;
const NEVER_ENDING = `export default {
  upper: (text) => text.toUpperCase(),
  spin: () => { for (;;); },
  regexp: () => String(/^(a+)+$/.test('a'.repeat(60) + 'b')),
};`;

/** Services as their authors run them: `shoal up --service`. */
export async function* serviceFleetSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('service-saved-to-first-reply-beside-node-watch')) yield await savedToFirstReply();
  for (const operation of ['spin', 'regexp']) {
    const name = `service-cut-off-${operation}-beside-cpp`;
    if (wanted(name)) yield await cutOff(name, operation);
  }
}

/** From a saved file to the first reply of what is in it; beside Node's own `--watch`, which has no VM. */
async function savedToFirstReply(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  const [service, server] = [join(folder, 'service.js'), join(folder, 'server.mjs')];
  const port = await freePort();
  saveService(service, 0);
  saveServer(server, port, 0);
  const node = spawn(process.execPath, ['--watch', '--watch-preserve-output', server], { stdio: 'ignore' });
  try {
    await using fleet = await TestFleet.start({ flags: ['--service', service, '--watch'] });
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    await until(async () => (await fetched(port)) === '0');
    let version = 0;
    const next = (): number => {
      version += 1;
      return version;
    };
    return await compare({
      ...{ name: 'service-saved-to-first-reply-beside-node-watch', unit: 'ms', rounds: DEPLOYS },
      ours: () => timed(next(), saveService.bind(undefined, service), async () => (await client.request('')).text),
      baseline: () => timed(next(), saveServer.bind(undefined, server, port), () => fetched(port)),
    });
  } finally {
    await end(node);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(
  version: number,
  save: (version: number) => void,
  reply: () => Promise<string | undefined>,
): Promise<number> {
  const startMs = performance.now();
  save(version);
  await until(async () => (await reply()) === String(version));
  return performance.now() - startMs;
}

function saveService(file: string, version: number): void {
  writeFileSync(file, `export const idempotent = true;\nexport default { version: () => '${version}' };\n`);
}

function saveServer(file: string, port: number, version: number): void {
  const answer = `(request, response) => response.end('${version}')`;
  writeFileSync(
    file,
    `import { createServer } from 'node:http';\ncreateServer(${answer}).listen(${port}, '127.0.0.1');\n`,
  );
}

/** How long after its deadline a request that never ends keeps its VM from the next one; beside one of the C++ image. */
async function cutOff(name: string, operation: string): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'));
  const file = join(folder, 'service.js');
  writeFileSync(file, NEVER_ENDING);
  try {
    await using script = await TestFleet.start({ addresses: 1, flags: ['--service', file] });
    await using cpp = await TestFleet.start({ addresses: 1 });
    await using ours = await connect({ servers: script.ready.nats, fleet: script.ready.fleet });
    await using baseline = await connect({ servers: cpp.ready.nats, fleet: cpp.ready.fleet });
    return await compare({
      ...{ name, unit: 'ms', rounds: CUTS },
      ours: () => freeAfterMs(ours, operation),
      baseline: () => freeAfterMs(baseline, 'spin'),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function freeAfterMs(client: Client, operation: string): Promise<number> {
  // The text says how many milliseconds the C++ operation computes: longer than its deadline.
  await client.request('60000', { op: operation, deadlineMs: DEADLINE_MS }).catch(() => undefined);
  const startMs = performance.now();
  await client.request('x', { op: 'upper' });
  return performance.now() - startMs;
}

async function fetched(port: number): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
  return await response?.text().catch(() => undefined);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    if (await isSo()) return;
    await sleep(BETWEEN_LOOKS_MS);
  }
  throw new Error('what was saved does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}
