/** What a front door takes from clients, and for how long: of those that are slow, greedy or gone. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../actors/mod.ts';
import { count, hold, POST_ONE, post, raw, replied, served } from './testing/served.ts';

const EXPECTING = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n';

/** A client that tells what it has got. */
function client(port: number): { readonly socket: Socket; got(): string } {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let got = '';
  socket.on('error', () => undefined);
  socket.on('data', (piece) => {
    got += String(piece);
  });
  return { socket, got: () => got };
}

/** A head of that many fields, `Host` and `Content-Length` included. */
function headOf(fields: number): string {
  const others = Array.from({ length: fields - 2 }, (_, at) => `X-${at}: a\r\n`).join('');
  return `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${others}Content-Length: 1\r\n\r\n`;
}

test('a head of 100 fields is taken, and none of more', async () => {
  const { port, requests } = await served();
  expect(await raw(port, `${headOf(100)}x`, (got) => got.endsWith('X'))).toMatch(/^HTTP\/1\.1 200 /);
  for (const fields of [101, 300]) expect(await raw(port, `${headOf(fields)}x`)).toMatch(/^HTTP\/1\.1 431 /);
  expect(requests).toHaveLength(1);
});

test('an expectation that nobody knows is refused', async () => {
  const { port, requests } = await served();
  const got = await raw(port, EXPECTING.replace('100-continue', 'miracles\r\nConnection: close'));
  expect(got).toMatch(/^HTTP\/1\.1 417 /);
  expect(requests).toEqual([]);
});

test('heads count as texts do, because they are kept as long', async () => {
  const { port, requests } = await served(hold, { inFlightBytesMax: 12_000 });
  const long = POST_ONE.replace('Host', `X: ${'y'.repeat(8_000)}\r\nHost`);
  const first = client(port);
  first.socket.write(long);
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  expect(await raw(port, long, (got) => got.includes('in hand'))).toMatch(/^HTTP\/1\.1 503 /);
  const leave = await raw(port, `${long.slice(0, -5)}\r\nExpect: 100-continue\r\n\r\n`, (got) =>
    got.includes('in hand'),
  );
  expect(leave).toMatch(/^HTTP\/1\.1 503 /);
  requests[0]?.replyTo.tell(replied(Buffer.from('done')));
  const next = client(port);
  next.socket.write(long);
  await vi.waitFor(() => expect(requests).toHaveLength(2));
});

test('what comes behind a refusal counts for nobody', async () => {
  const { port, requests } = await served(hold, { inFlightBytesMax: 1_600 });
  const sent = (head: string, body: string) =>
    raw(port, `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\n\r\n${body}`);
  const whole = (bytes: number) => sent(`Connection: close\r\nContent-Length: ${bytes}`, 'x'.repeat(bytes));
  const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
  const first = whole(900);
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  // The large piece is one too many, and each of the small ones would be taken.
  const refused = await sent('Transfer-Encoding: chunked', chunk(700) + chunk(100).repeat(5) + chunk(0));
  expect(refused).toMatch(/^HTTP\/1\.1 503 /);
  requests[0]?.replyTo.tell(replied(Buffer.from('first')));
  expect(await first).toContain('first');
  const next = [whole(900), whole(500)];
  await vi.waitFor(() => expect(requests).toHaveLength(3));
  for (const { replyTo } of requests.slice(1)) replyTo.tell(replied(Buffer.from('next')));
  for (const one of await Promise.all(next)) expect(one).toContain('next');
});

test('a single request is taken whatever it holds', async () => {
  const { url } = await served(undefined, { inFlightBytesMax: 10 });
  expect(await post(url, 'x'.repeat(100))).toMatchObject({ status: 200 });
});

test('a text that waits keeps nothing else of what came with it', async () => {
  const { port, requests } = await served(hold);
  client(port).socket.write(POST_ONE.replace('Host', `X: ${'y'.repeat(12_000)}\r\nHost`));
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  expect(requests[0]?.payload.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
});

test('nothing is done for a request behind an answer that ends the connection', async () => {
  const { port, requests } = await served();
  const refused = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const got = await raw(port, POST_ONE + refused + POST_ONE);
  expect(got).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 405 [\s\S]*Connection: close/);
  expect(count(got, 'HTTP/1.1')).toBe(2);
  // The client may send it again elsewhere.
  expect(requests).toHaveLength(1);
});

test('a stop answers all that one connection has asked, and ends it with the last', async () => {
  const { port, system, door, requests } = await served(hold);
  const got = raw(port, POST_ONE + POST_ONE);
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  const stopped = system.stop(door);
  for (const [at, { replyTo }] of requests.entries()) {
    await vi.waitFor(() => expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow());
    replyTo.tell(replied(Buffer.from(`answer ${at}`)));
  }
  await stopped;
  expect([...(await got).matchAll(/answer \d|Connection: [\w-]+/g)].map(([one]) => one)).toEqual([
    'Connection: keep-alive',
    'answer 0',
    'Connection: close',
    'answer 1',
  ]);
});

test('connections beyond the limit are closed, and the others go on', async () => {
  const { port } = await served(undefined, { connectionsMax: 2 });
  const kept = [client(port), client(port)];
  for (const { socket, got } of kept) {
    socket.write(POST_ONE);
    await vi.waitFor(() => expect(got()).toMatch(/X$/));
  }
  expect(await raw(port, POST_ONE)).toBe('');
  kept[0]?.socket.write(POST_ONE);
  await vi.waitFor(() => expect(count(kept[0]?.got() ?? '', '200 OK')).toBe(2));
});

test('a client that trickles its head, or its text, is told 408 and loses its connection', async () => {
  const { port, requests } = await served(hold, { headMs: 100, requestMs: 200 });
  for (const half of ['POST / HTTP/1.1\r\nHost: 127.0.0', POST_ONE.slice(0, -1)]) {
    expect(await raw(port, half)).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
  }
  expect(requests).toEqual([]);
});

test('a client that does not read its answer in time loses its connection', async () => {
  const ends: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    timer(delayMs, callback) {
      if (delayMs !== 60_000) return systemClock.timer(delayMs, callback);
      ends.push(callback);
      return () => undefined;
    },
  };
  const big = Buffer.alloc(16_000_000);
  const { port } = await served(({ replyTo }) => void replyTo.tell(replied(big)), {}, clock);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(POST_ONE);
  await once(socket, 'readable');
  for (const end of ends) end();
  let bytes = 0;
  socket.on('data', (piece) => {
    bytes += piece.length;
  });
  await once(socket, 'close');
  expect(bytes).toBeLessThan(big.length);
});

test('a client that has read its answers does not make room for those of others', async () => {
  const big = Buffer.alloc(16_000_000, 'x');
  const handled = { answer: Buffer.from('small') };
  const { port } = await served(({ replyTo }) => void replyTo.tell(replied(handled.answer)), {
    unreadBytesMax: 24_000_000,
  });
  const good = client(port);
  good.socket.write(POST_ONE);
  await vi.waitFor(() => expect(good.got()).toMatch(/small$/));
  handled.answer = big;
  for (let n = 0; n < 2; n++) {
    const slow = connect(port, '127.0.0.1');
    onTestFinished(() => void slow.destroy());
    slow.on('error', () => undefined);
    slow.write(POST_ONE);
    await once(slow, 'readable');
  }
  handled.answer = Buffer.from('again');
  good.socket.write(POST_ONE);
  await vi.waitFor(() => expect(good.got()).toMatch(/again$/));
});

test('the deadline counts from the head on, however long the text takes', async () => {
  let laterMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
  const { port, requests } = await served(hold, { deadlineMs: () => 4_000 }, clock);
  const { socket, got } = client(port);
  socket.write(EXPECTING);
  await vi.waitFor(() => expect(got()).toContain('100 Continue'));
  const untilMs = clock.monotonic() + 4_000;
  laterMs = 3_600_000;
  socket.write('x');
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  expect(requests[0]?.deadlineMs).toBeLessThanOrEqual(untilMs);
});

test('what comes while it stops is refused, and every connection ends', async () => {
  const { port, url, system, door, requests } = await served(hold);
  const open = post(url, 'open');
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  const [half, asking, silent] = [client(port), client(port), client(port)];
  half.socket.write(POST_ONE.slice(0, 10));
  asking.socket.write('GET /healthz HTTP/1.1\r\nHost');
  silent.socket.write('POST');
  // Each of them has come before this answer.
  await fetch(`${url}/healthz`);
  const stopped = system.stop(door);
  await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
  half.socket.write(POST_ONE.slice(10));
  asking.socket.write(': 127.0.0.1\r\n\r\n');
  await vi.waitFor(() => expect(half.got()).toMatch(/^HTTP\/1\.1 503 [\s\S]*Shoal is stopping\n$/));
  await vi.waitFor(() => expect(asking.got()).toMatch(/^HTTP\/1\.1 503 [\s\S]*Shoal is stopping\n$/));
  expect(requests).toHaveLength(1);
  const closed = once(silent.socket, 'close');
  requests[0]?.replyTo.tell(replied(Buffer.from('done')));
  expect((await open).headers.get('connection')).toBe('close');
  await stopped;
  await closed;
});
