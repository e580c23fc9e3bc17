import { createServer } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';

const HOST = '127.0.0.1';

const RETRY_MS = 20;

/** The port itself if it can be had within `patienceMs`, else one that can be. @throws NATS_SERVER_FAILED */
export async function freePort(preferred: number, patienceMs: number, clock: Clock): Promise<number> {
  return (await portWithin(preferred, patienceMs, clock)) ?? anyPort();
}

/** The port itself if it can be listened on within `patienceMs`. Another program may still take it first: the caller tries again. */
export async function portWithin(
  port: number,
  patienceMs: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const endMs = clock.monotonic() + patienceMs;
  let free = await tryListen(port);
  while (free === undefined && clock.monotonic() < endMs && signal?.aborted !== true) {
    await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve));
    free = await tryListen(port);
  }
  return free;
}

async function anyPort(): Promise<number> {
  const port = await tryListen(0);
  if (port === undefined) throw new ShoalError('NATS_SERVER_FAILED', `No port of ${HOST} is free for nats-server`);
  return port;
}

/** The port, free again after a try to listen on it; undefined if it is taken. */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, HOST, () => {
      const address = server.address();
      const listened = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(listened));
    });
  });
}
