import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';

const INFO = `INFO ${JSON.stringify({ server_id: 'x', version: '2.10.0', headers: true, max_payload: 1_048_576 })}\r\n`;

/** A NATS server that greets, and reads nothing more once it is told to. */
async function deafServer() {
  const sockets: Socket[] = [];
  const errors: unknown[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', (error) => errors.push(error));
    socket.write(INFO);
    socket.on('data', (bytes) => {
      if (bytes.includes('PING')) socket.write('PONG\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `nats://127.0.0.1:${address.port}`, sockets, errors };
}

test('the server sees a reset, and not the end of what was under way; the connection is made anew', async () => {
  const server = await deafServer();
  const states: string[] = [];
  const back = Promise.withResolvers<void>();
  const connection = await connect({
    servers: server.url,
    name: 'test',
    onState: (state) => {
      states.push(state);
      if (state === 'connected') back.resolve();
    },
  });
  const socket = server.sockets.at(-1);
  socket?.pause();
  // More than the kernel has room for at both ends: the rest can only wait here.
  const bytes = new Uint8Array(1_000_000);
  for (let n = 0; n < 64; n++) connection.nc.publish('x', bytes);
  await new Promise((resolve) => setImmediate(resolve));
  connection.reset();
  let read = 0;
  socket?.on('data', (some) => {
    read += some.length;
  });
  socket?.resume();
  await back.promise;
  if (socket?.closed === false) await once(socket, 'close').catch(() => undefined);
  expect(server.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  expect(read).toBeLessThan(64 * bytes.length);
  expect(states).toEqual(['lost', 'connected']);
  await connection.close();
});
