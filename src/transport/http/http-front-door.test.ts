import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Clock, type Ref, systemClock } from '../../actors/mod.ts';
import type { Outcome } from '../../fleet/mod.ts';
import type { RouterRequest } from '../endpoint-messages.ts';
import { count, hold, POST_ONE, post, raw, replied, served, upper } from './testing/served.ts';

test('a text becomes a request with the headers of one over NATS, and the outcome its answer', async () => {
  const { url, requests } = await served();
  const before = performance.now();
  expect(await post(url, 'text')).toMatchObject({ status: 200, text: 'TEXT' });
  expect(requests[0]).toMatchObject({ op: '', retry: true, isIdGenerated: true });
  expect(requests[0]?.deadlineMs).toBeGreaterThan(before + 3_000);
  const headers = {
    'Shoal-Deadline-Ms': '60000',
    'Shoal-Request-Id': 'mine',
    'Shoal-Retry': 'no',
    'Shoal-Repeat': 'yes',
  };
  const reply = await post(`${url}/reverse?x=1`, 'text', headers);
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'shoal-vm': '7',
    'shoal-host': 'beta',
  });
  expect(requests[1]).toMatchObject({
    op: 'reverse',
    retry: false,
    requestId: 'mine',
    isRepeat: true,
    isIdGenerated: false,
  });
  expect(requests[1]?.deadlineMs).toBeGreaterThan(before + 50_000);
  await post(url, 'x', { 'Shoal-Op': 'count', 'Content-Type': 'text/csv' });
  expect(requests[2]).toMatchObject({ op: 'count', contentType: 'text/csv' });
  expect(new Set(requests.map(({ requestId }) => requestId)).size).toBe(3);
});

test('texts of any size up to the limit come whole, by length or in chunks', async () => {
  const { port, url } = await served();
  for (const size of [0, 1, 999, 1_000]) expect((await post(url, 'a'.repeat(size))).text).toBe('A'.repeat(size));
  const chunked =
    'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
  expect(await raw(port, chunked, (got) => got.endsWith('ABCDE'))).toMatch(/^HTTP\/1\.1 200 OK/);
});

test('an error keeps its status and reason, and its message is the body', async () => {
  const errors: Outcome[] = [
    { ok: false, status: 404, reason: 'operation-unknown', message: 'unknown operation "x"', vm: 3, host: 'beta' },
    { ok: false, status: 502, reason: 'vm-lost', message: 'VM 3 ended\r\nSet-Cookie: a=b' },
    { ok: false, status: 503, reason: 'queue-full', message: 'overloaded' },
    { ok: false, status: 504, reason: 'expired-on-vm', message: 'its deadline passed' },
  ];
  const { url } = await served(({ replyTo }) => void replyTo.tell(errors.shift() ?? replied(new Uint8Array())));
  const answers = [];
  for (let n = 0; n < 4; n++) answers.push(await post(`${url}/x`, 'text'));
  expect(answers.map(({ status }) => status)).toEqual([404, 502, 503, 504]);
  expect(answers.map(({ headers }) => headers.get('shoal-reason'))).toEqual([
    'operation-unknown',
    'vm-lost',
    'queue-full',
    'expired-on-vm',
  ]);
  expect(answers[0]?.text).toBe('unknown operation "x"\n');
  expect(answers[0]?.headers.get('shoal-vm')).toBe('3');
  expect(answers[1]?.headers.get('set-cookie')).toBe(null);
  expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual([null, null, '1', null]);
});

test('what is no request is refused with what was expected, and never reaches the router', async () => {
  const { url, requests } = await served();
  const refused = async (path: string, init: RequestInit): Promise<string> => {
    const response = await fetch(`${url}${path}`, init);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  const text = { method: 'POST', body: 'x' };
  expect(await refused('/', { method: 'GET' })).toBe('405 expected POST for "/", got "GET"');
  expect(await refused('/healthz', text)).toBe('405 expected GET or HEAD for /healthz, got "POST"');
  expect(await refused('/A/b', text)).toMatch(
    /^404 expected POST \/ or POST \/OPERATION with 1 to 64 .*, got "\/A\/b"$/,
  );
  expect(await refused('/x%00', text)).toMatch(/^404 /);
  const one = (headers: Record<string, string>): RequestInit => ({ ...text, headers });
  expect(await refused('/', one({ 'Shoal-Deadline-Ms': '0' }))).toMatch(
    /^400 Shoal-Deadline-Ms: expected .*, got "0"$/,
  );
  expect(await refused('/a', one({ 'Shoal-Op': 'b' }))).toMatch(/^400 Shoal-Op: expected "a" as in the path/);
  expect(await refused('/', one({ 'Content-Encoding': 'gzip' }))).toMatch(/^415 .*got "gzip"$/);
  expect(await refused('/', one({ Origin: 'https://evil.example' }))).toMatch(
    /^403 Origin: .*got "https:\/\/evil\.example"$/,
  );
  expect(await refused('/', { ...text, body: 'x'.repeat(1_001) })).toBe(
    '413 a text has 1000 bytes at most, and this one has 1001',
  );
  expect(requests).toEqual([]);
});

test('a name of somebody else that leads to loopback is refused', async () => {
  const { port, requests } = await served();
  const to = (host: string): string =>
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`;
  expect(await raw(port, to('evil.example'))).toMatch(/^HTTP\/1\.1 403 /);
  expect(requests).toEqual([]);
  for (const host of [`localhost:${port}`, '[::1]:80', '127.9.9.9']) {
    expect(await raw(port, to(host))).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test('a chunked text that grows beyond the limit is refused while it comes', async () => {
  const { port, requests } = await served();
  const piece = `1f4\r\n${'x'.repeat(500)}\r\n`;
  const head = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n';
  const got = await raw(port, head + piece.repeat(3));
  expect(got).toMatch(/^HTTP\/1\.1 413 /);
  expect(got).toContain('a text has 1000 bytes at most, and this one is longer');
  expect(requests).toEqual([]);
});

test('Expect is answered before the text is sent, and a text that is too large is refused instead', async () => {
  const { port } = await served();
  const expecting = (bytes: number): string =>
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes}\r\nExpect: 100-continue\r\n\r\n`;
  expect(await raw(port, expecting(4), (got) => got.includes('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  expect(await raw(port, expecting(5_000), (got) => got.includes('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 413 /);
});

test('pipelined requests are answered in their order, whichever ends first', async () => {
  const { port, requests } = await served(hold);
  const one = (text: string): string => `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\n${text}`;
  const got = raw(port, one('a') + one('b') + one('c'), (so) => count(so, 'HTTP/1.1 200') === 3 && so.endsWith('C'));
  await vi.waitFor(() => expect(requests).toHaveLength(3));
  for (const { replyTo, payload } of requests.toReversed()) replyTo.tell(replied(upper(payload)));
  const bodies = [...(await got).matchAll(/\r\n\r\n([A-C])/g)].map(([, body]) => body);
  expect(bodies).toEqual(['A', 'B', 'C']);
});

test('a request that asks for another protocol is answered, and ends its connection: Node reads none behind it', async () => {
  const { port, requests } = await served();
  const one = (text: string, more = ''): string =>
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}Content-Length: 1\r\n\r\n${text}`;
  const got = await raw(port, one('a', 'Connection: upgrade\r\nUpgrade: h2c\r\n') + one('b'));
  expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n[\s\S]*\r\n\r\nA$/);
  expect(requests).toHaveLength(1);
});

test("a client that leaves costs nothing more, and an outcome that comes then, or twice, is nobody's", async () => {
  const { port, url, requests } = await served(hold, { inFlightMax: 1 });
  const socket: Socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx');
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  socket.destroy();
  expect(requests[0]?.replyTo.tell(replied(new Uint8Array()))).toBe(true);
  expect(requests[0]?.replyTo.tell(replied(new Uint8Array()))).toBe(false);
  // One whose text never comes holds no place either, once it is gone.
  const half = connect(port, '127.0.0.1');
  half.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx');
  await vi.waitFor(async () => expect((await fetch(url, { method: 'POST', body: 'y' })).status).toBe(503));
  half.destroy();
  const last = vi.waitFor(async () => {
    const answer = fetch(url, { method: 'POST', body: 'z', signal: AbortSignal.timeout(500) });
    answer.catch(() => undefined);
    await vi.waitFor(() => expect(requests).toHaveLength(2), { timeout: 400 });
    requests[1]?.replyTo.tell(replied(Buffer.from('Z')));
    expect(await (await answer).text()).toBe('Z');
  });
  await last;
});

test('more requests than may be in hand, or more bytes of them, are refused', async () => {
  const { url, requests } = await served(hold, { inFlightMax: 3, inFlightBytesMax: 2_300 });
  const first = post(url, 'a'.repeat(1_000));
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  expect(await post(url, 'b'.repeat(1_000))).toMatchObject({
    status: 503,
    text: expect.stringMatching(/^overloaded: requests of 1\d{3} bytes are in hand\n$/),
  });
  const more = [post(url, 'c'), post(url, 'd')];
  await vi.waitFor(() => expect(requests).toHaveLength(3));
  const { status, headers, text } = await post(url, 'e');
  expect([status, headers.get('shoal-reason'), text]).toEqual([
    503,
    'endpoint-full',
    'overloaded: 3 requests are in hand\n',
  ]);
  for (const { replyTo, payload } of requests) replyTo.tell(replied(payload));
  expect((await first).text).toHaveLength(1_000);
  await Promise.all(more);
  // Those that were answered count no more.
  const next = [post(url, 'f'.repeat(600)), post(url, 'g'.repeat(600))];
  await vi.waitFor(() => expect(requests).toHaveLength(5));
  for (const { replyTo } of requests.slice(3)) replyTo.tell(replied(Buffer.from('late')));
  expect((await Promise.all(next)).map(({ text: said }) => said)).toEqual(['late', 'late']);
});

test('a router that takes nothing is an answer, too', async () => {
  const router: Ref<RouterRequest> = { path: 'router', tell: () => false };
  const { url } = await served(hold, { router });
  expect(await post(url, 'x')).toMatchObject({ status: 503, text: 'overloaded: the router takes no more requests\n' });
});

test('health is what the host says of itself, and a question that fails is no health', async () => {
  const answers = [
    { isServing: true, text: 'fine' },
    { isServing: false, text: 'cordoned' },
  ];
  const health = async () => answers.shift() ?? Promise.reject(new Error('the router is away'));
  const { url } = await served(hold, { health });
  const asked = async (): Promise<string> => {
    const response = await fetch(`${url}/healthz`);
    return `${response.status} ${await response.text()}`;
  };
  expect([await asked(), await asked(), await asked()]).toEqual([
    '200 fine\n',
    '503 cordoned\n',
    '503 the router is away\n',
  ]);
});

test('a stop refuses what is new, waits for what is open, and refuses the rest at its limit', async () => {
  const { url, system, door, requests } = await served(hold, { drainLimitMs: 300 });
  const [answered, cut] = [post(url, 'a'), post(url, 'b')];
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  const stopped = system.stop(door);
  await vi.waitFor(() => expect(fetch(url, { method: 'POST', body: 'c' })).rejects.toThrow());
  requests.find(({ payload }) => Buffer.from(payload).toString() === 'a')?.replyTo.tell(replied(Buffer.from('A')));
  expect(await answered).toMatchObject({ status: 200, text: 'A' });
  expect(await cut).toMatchObject({ status: 503, text: 'Shoal is stopping\n' });
  await stopped;
});

test('a port that is taken is an error that names it and the way out', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  // It listens on TCP.
  const { port } = other.address() as AddressInfo;
  await expect(served(hold, { address: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    code: 'HTTP_LISTEN_FAILED',
    message: `HTTP requests cannot be taken at 127.0.0.1:${port}: another program has it; name another port, or 0 for a free one`,
  });
  await expect(served(hold, { address: { host: '192.0.2.1', port: 0 } })).rejects.toThrow(
    'this machine has no such address',
  );
});

test("garbage and endless heads end their connection and nobody else's", async () => {
  const { port, url } = await served();
  expect(await raw(port, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(port, `POST / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
  const both = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  expect(await raw(port, both)).toMatch(/^HTTP\/1\.1 400 /);
  expect((await post(url, 'x')).text).toBe('X');
});

test('one connection serves many requests', async () => {
  const { port } = await served();
  const one = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx';
  const got = await raw(port, one.repeat(500), (so) => count(so, 'HTTP/1.1 200') === 500 && so.endsWith('X'));
  expect(count(got, '\r\n\r\nX')).toBe(500);
});

test('a client that does not read its answer holds nobody up', async () => {
  const big = Buffer.alloc(1_000, 'x');
  const { port, url, requests } = await served(({ replyTo }) => void replyTo.tell(replied(big)));
  const slow = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
  slow.on('error', () => undefined);
  onTestFinished(() => void slow.destroy());
  slow.end('x');
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  expect((await post(url, 'y')).text).toHaveLength(1_000);
});

test('a client that has ended its side still gets its answers', async () => {
  const { port, requests } = await served(hold);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let got = '';
  socket.on('data', (piece) => {
    got += String(piece);
  });
  socket.end(POST_ONE + POST_ONE);
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  // Its end has come after its requests.
  await fetch(`http://127.0.0.1:${port}/healthz`);
  const ended = once(socket, 'end');
  for (const { replyTo } of requests) replyTo.tell(replied(Buffer.from('late')));
  await ended;
  expect(count(got, 'HTTP/1.1 200')).toBe(2);
  expect(got).toMatch(/late$/);
});

test('CONNECT is refused once the requests before it are answered', async () => {
  const { port, requests } = await served(hold);
  const got = raw(port, `${POST_ONE}CONNECT host:1 HTTP/1.1\r\nHost: host:1\r\n\r\n`);
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  requests[0]?.replyTo.tell(replied(Buffer.from('ONE')));
  expect(await got).toMatch(/^HTTP\/1\.1 200 [\s\S]*ONEHTTP\/1\.1 405 [\s\S]*Allow: POST\r\n/);
});

test('garbage behind a request ends the connection once the request is answered', async () => {
  const { port, requests } = await served(hold);
  const chunk = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
  for (const [at, garbage] of ['garbage\r\n\r\n', chunk].entries()) {
    const got = raw(port, POST_ONE + garbage);
    await vi.waitFor(() => expect(requests).toHaveLength(at + 1));
    await fetch(`http://127.0.0.1:${port}/healthz`);
    requests[at]?.replyTo.tell(replied(Buffer.from('good')));
    expect(await got).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*good(?:HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n)$/,
    );
  }
});

test('what clients do not read is bounded: the one that has not read for longest makes room', async () => {
  const big = Buffer.alloc(16_000_000, 'x');
  const { port, url } = await served(({ replyTo }) => void replyTo.tell(replied(big)), { unreadBytesMax: 40_000_000 });
  const slow = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      socket.write(POST_ONE);
      await once(socket, 'readable');
      return socket;
    }),
  );
  const lengths = slow.map(async (socket) => {
    let bytes = 0;
    socket.on('data', (piece) => {
      bytes += piece.length;
      if (bytes > big.length) socket.end();
    });
    await once(socket, 'close');
    return bytes > big.length;
  });
  // Which of them was answered first is not known.
  expect((await Promise.all(lengths)).sort()).toEqual([false, true, true]);
  expect((await post(url, 'y')).text).toHaveLength(big.length);
});

test('the time to read an answer begins once those before it have been sent', async () => {
  const answerTimers: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    timer(delayMs, callback) {
      if (delayMs !== 60_000) return systemClock.timer(delayMs, callback);
      answerTimers.push(callback);
      return () => void answerTimers.splice(answerTimers.indexOf(callback), 1);
    },
  };
  const { port, requests } = await served(hold, {}, clock);
  const got = raw(port, POST_ONE + POST_ONE, (so) => so.endsWith('second'));
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  requests[1]?.replyTo.tell(replied(Buffer.from('second')));
  expect(answerTimers).toEqual([]);
  requests[0]?.replyTo.tell(replied(Buffer.from('first')));
  expect(await got).toMatch(/first[\s\S]*second$/);
});

test('a whole URL is a target as its path is, and counts for whom it calls', async () => {
  const { port, requests } = await served();
  const to = (target: string, host = '127.0.0.1'): Promise<string> =>
    raw(port, `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`);
  for (const target of ['http://127.0.0.1:1/reverse?a', 'HTTP://LOCALHOST/reverse', 'http://localhost']) {
    expect(await to(target, 'evil.example')).toMatch(/^HTTP\/1\.1 200 /);
  }
  expect(requests.map(({ op }) => op)).toEqual(['reverse', 'reverse', '']);
  expect(await to('http://evil.example/reverse')).toMatch(/^HTTP\/1\.1 403 /);
  expect(await to('/', 'LocalHost:1')).toMatch(/^HTTP\/1\.1 200 /);
});

test('two hosts, and a text below a coding that nobody has undone, are refused', async () => {
  const { port, requests } = await served();
  const head = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n';
  expect(await raw(port, `${head}Host: localhost\r\nContent-Length: 1\r\n\r\nx`)).toMatch(/^HTTP\/1\.1 400 /);
  const coded = `${head}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`;
  expect(await raw(port, coded)).toMatch(/^HTTP\/1\.1 415 /);
  expect(requests).toEqual([]);
});

test('a page of the same origin is served, and a server on no loopback by any name', async () => {
  const local = await served();
  for (const scheme of ['http', 'https']) {
    const own = { Origin: `${scheme}://127.0.0.1:${local.port}` };
    expect((await post(local.url, 'x', own)).status).toBe(200);
  }
  const open = await served(undefined, { address: { host: '0.0.0.0', port: 0 } });
  const named = POST_ONE.replace('127.0.0.1', 'shoal.example');
  expect(await raw(open.port, named, (got) => got.endsWith('X'))).toMatch(/^HTTP\/1\.1 200 /);
});

test('health is told without its text, too, and a connection says how long it is kept', async () => {
  const { port } = await served();
  const asked = 'HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const got = await raw(port, asked, (so) => so.endsWith('\r\n\r\n'));
  expect(got).toMatch(/^HTTP\/1\.1 200 /);
  expect(got).toMatch(/Keep-Alive: timeout=75\r\n/);
});

test('ids of two front doors differ, and a text that says it is not coded is taken', async () => {
  const [one, two] = [await served(), await served()];
  await post(one.url, 'x', { 'Content-Encoding': 'identity' });
  await post(two.url, 'x');
  expect(one.requests[0]?.requestId).toBeDefined();
  expect(one.requests[0]?.requestId).not.toBe(two.requests[0]?.requestId);
});
