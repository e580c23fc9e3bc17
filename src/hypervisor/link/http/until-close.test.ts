import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../actors/mod.ts';
import { TcpConnection } from '../../qemu/tcp-connection.ts';
import { HttpClient } from './http-client.ts';

const TIMEOUT_MS = 30_000;

/** Asks a server that begins a body which ends with its connection, and then does that. */
async function asked(end: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nall of it', () => end(socket)));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const place = server.address();
  const port = typeof place === 'object' && place !== null ? place.port : 0;
  const client = new HttpClient(
    () => new TcpConnection({ id: 1, ip: '127.0.0.1', port }, systemClock),
    1_000,
    systemClock,
  );
  onTestFinished(() => client.close());
  return client.get('/', TIMEOUT_MS);
}

it('a body that ends with its connection is whole if the guest ended it, and lost if it was reset', async () => {
  const { body } = await asked((socket) => socket.end());
  expect(Buffer.from(body).toString()).toBe('all of it');
  await expect(asked((socket) => socket.resetAndDestroy())).rejects.toMatchObject({ code: 'LINK_LOST' });
});
