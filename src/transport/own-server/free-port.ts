import { createServer } from 'node:net';
import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';

const HOST = '127.0.0.1';

const RETRY_MS = 20;

/**
 * The port itself if it can be listened on within `patienceMs`, else one that can. Somebody else may still be faster: the caller
 * tries again.
 */
export async function freePort(preferred: number, patienceMs: number, clock: Clock): Promise<number> {
  const endMs = clock.monotonic() + patienceMs;
  let port = await tryListen(preferred);
  while (port === undefined && clock.monotonic() < endMs) {
    await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve));
    port = await tryListen(preferred);
  }
  port ??= await tryListen(0);
  if (port === undefined) throw new ShoalError('NATS_SERVER_FAILED', `No port of ${HOST} is free for nats-server`);
  return port;
}

/** The port that was listened on, and is free again; undefined if it was taken. */
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
