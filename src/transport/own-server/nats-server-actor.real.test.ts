import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSystem, type Ref, systemClock } from '../../actors/mod.ts';
import {
  identify,
  isAlive,
  LOG_BYTES_MAX,
  type ProcessIdentity,
  type Spawner,
  signalProcess,
  whenGone,
} from '../../process/mod.ts';
import { child, supervisor } from '../../supervisor/mod.ts';
import { type ConnectionState, connect } from '../connection.ts';
import { endpoint } from '../endpoint.ts';
import type { RouterRequest } from '../endpoint-messages.ts';
import { directSpawner, processed } from '../kit/mod.ts';
import { TOKEN_KEY_BYTES } from '../reply-token.ts';
import { createRequester } from '../requester.ts';
import {
  type NatsServerActorOptions,
  type NatsServerMessage,
  type NatsServerStatus,
  natsServer,
} from './nats-server-actor.ts';

const GONE_MS = 5_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-actor-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** The server of one test under a supervisor, and the news of each time that it serves. */
async function supervised(options: Partial<NatsServerActorOptions> = {}) {
  const system = createSystem();
  const served: NatsServerStatus[] = [];
  let onServed = (): void => undefined;
  let ref: Ref<NatsServerMessage> | undefined;
  const spec = child<NatsServerMessage>({
    id: 'nats',
    start: natsServer({
      directory,
      spawner: directSpawner(),
      preferredPort: 0,
      jetStream: false,
      ...options,
      onServing: (status) => {
        served.push(status);
        onServed();
      },
    }),
    onRef: (started) => {
      ref = started;
    },
  });
  await system.start(supervisor({ strategy: 'one_for_one', intensity: 5, children: [spec] }), { name: 'top' });
  if (ref === undefined) throw new Error('the child has started');
  return {
    system,
    served,
    ref,
    status: (): NatsServerStatus => {
      const last = served.at(-1);
      if (last === undefined) throw new Error('the server has served');
      return last;
    },
    nextServed: () => new Promise<void>((resolve) => (onServed = resolve)),
  };
}

function processOf({ pid }: NatsServerStatus): ProcessIdentity {
  const identity = identify(pid);
  if (identity === undefined) throw new Error(`process ${pid} runs`);
  return identity;
}

test('a server that is killed comes back on the same port, its clients reconnect, and requests are answered again', async () => {
  const actor = await supervised();
  const { url, pid } = actor.status();
  const reconnected = Promise.withResolvers<void>();
  const onState = (state: ConnectionState): void => {
    if (state === 'connected') reconnected.resolve();
  };
  const server = await connect({ servers: url, name: 'server' });
  const client = await connect({ servers: url, name: 'client', onState });
  const router = actor.system.spawn<RouterRequest>(() => ({ request }) => {
    request.replyTo.tell(processed(request.payload));
  });
  const tokenKey = new Uint8Array(TOKEN_KEY_BYTES);
  await actor.system.start(endpoint({ nc: server.nc, fleet: 'f', version: '0.1.0', router, tokenKey }));
  const requester = createRequester(client.nc, { fleet: 'f' });
  await requester.request(new Uint8Array(1));

  const served = actor.nextServed();
  signalProcess(processOf(actor.status()), 'SIGKILL');
  await served;
  expect(actor.status()).toMatchObject({ url, adopted: false });
  expect(actor.status().pid).not.toBe(pid);
  await reconnected.promise;
  // The server's own connection may be back a moment later than the client's.
  const request = () => requester.request(new Uint8Array(2)).catch((error: unknown) => error);
  await expect.poll(request, { timeout: 10_000 }).toMatchObject({ vm: 1 });

  await client.close();
  await actor.system.shutdown();
  await server.close();
});

/** Holds back deaths until the test has taken the port. */
function withLateDeaths(): { readonly spawner: Spawner; readonly tell: () => void } {
  const inner = directSpawner();
  const heldBack: (() => void)[] = [];
  let isTold = false;
  return {
    spawner: {
      ...inner,
      onExit: (identity, listener) =>
        inner.onExit(identity, (exit) => {
          // A process may be gone before its end is told.
          if (isTold) listener(exit);
          else heldBack.push(() => listener(exit));
        }),
    },
    tell: () => {
      isTold = true;
      for (const one of heldBack.splice(0)) one();
    },
  };
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a server whose port another program took comes back there once it is free, and says that it waits', async () => {
  const { spawner, tell } = withLateDeaths();
  const taken = Promise.withResolvers<number>();
  const actor = await supervised({ spawner, onPortTaken: taken.resolve });
  const { url } = actor.status();
  const port = Number(new URL(url).port);
  const process = processOf(actor.status());
  signalProcess(process, 'SIGKILL');
  await whenGone(process, GONE_MS, systemClock);
  const other = await listenOn(port);
  tell();
  expect(await taken.promise).toBe(port);
  expect(actor.served).toHaveLength(1);
  const served = actor.nextServed();
  other.close();
  await served;
  expect(actor.status()).toMatchObject({ url, adopted: false, portLost: undefined });
  await actor.system.shutdown();
});

test('its end does not wait for a port that another program has', async () => {
  const { spawner, tell } = withLateDeaths();
  const taken = Promise.withResolvers<number>();
  const actor = await supervised({ spawner, onPortTaken: taken.resolve });
  const port = Number(new URL(actor.status().url).port);
  const process = processOf(actor.status());
  signalProcess(process, 'SIGKILL');
  await whenGone(process, GONE_MS, systemClock);
  const other = await listenOn(port);
  tell();
  await taken.promise;
  await actor.system.shutdown();
  other.close();
});

test('its end in order ends the server', async () => {
  const actor = await supervised();
  const process = processOf(actor.status());
  expect(
    await actor.system.ask<NatsServerMessage, NatsServerStatus>(
      actor.ref,
      (replyTo) => ({ kind: 'status', replyTo }),
      1_000,
    ),
  ).toEqual(actor.status());
  await actor.system.shutdown();
  expect(isAlive(process)).toBe(false);
});

test('told to leave it, the next one adopts it', async () => {
  const first = await supervised();
  const process = processOf(first.status());
  first.ref.tell({ kind: 'leave' });
  await first.system.ask<NatsServerMessage, NatsServerStatus>(
    first.ref,
    (replyTo) => ({ kind: 'status', replyTo }),
    1_000,
  );
  await first.system.shutdown();
  expect(isAlive(process)).toBe(true);
  const second = await supervised();
  expect(second.status()).toMatchObject({ adopted: true, pid: process.pid });
  await second.system.shutdown();
  expect(isAlive(process)).toBe(false);
});

test('a fresh start holds for the first time only', async () => {
  const first = await supervised();
  const left = processOf(first.status());
  first.ref.tell({ kind: 'leave' });
  await first.system.ask<NatsServerMessage, NatsServerStatus>(
    first.ref,
    (replyTo) => ({ kind: 'status', replyTo }),
    1_000,
  );
  await first.system.shutdown();
  const second = await supervised({ fresh: true });
  expect(isAlive(left)).toBe(false);
  const served = second.nextServed();
  const killed = processOf(second.status());
  signalProcess(killed, 'SIGKILL');
  await whenGone(killed, GONE_MS, systemClock);
  await served;
  expect(second.served).toHaveLength(2);
  await second.system.shutdown();
});

test('a log that has grown is cut', async () => {
  const actor = await supervised();
  const path = join(directory, 'nats-server.log');
  await writeFile(path, `${'x'.repeat(LOG_BYTES_MAX)}\nthe end\n`, { flag: 'a' });
  actor.ref.tell({ kind: 'bound-log' });
  await actor.system.ask<NatsServerMessage, NatsServerStatus>(
    actor.ref,
    (replyTo) => ({ kind: 'status', replyTo }),
    5_000,
  );
  expect((await stat(path)).size).toBeLessThan(LOG_BYTES_MAX);
  expect(await readFile(path, 'utf8')).toContain('the end');
  await actor.system.shutdown();
});
