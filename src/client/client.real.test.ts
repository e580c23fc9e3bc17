import { createConnection, createServer, type Socket } from 'node:net';
import { connect as connectNats } from 'nats';
import { expect, test } from 'vitest';
import type { Request } from '../fleet/mod.ts';
import { processed, securedNatsServer, servedFleet } from '../transport/kit/mod.ts';
import { connect, type LineOutcome } from './mod.ts';

const textOf = ({ payload }: Request): string => new TextDecoder().decode(payload);
const reply = (request: Request, text: string): void => {
  request.replyTo.tell(processed(new TextEncoder().encode(text)));
};

test('text in, processed text out', async () => {
  await using fleet = await servedFleet(({ payload, replyTo }) => {
    const text = new TextDecoder().decode(payload).toUpperCase();
    replyTo.tell(processed(new TextEncoder().encode(text), 4, 'alpha'));
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  expect(await client.request('gr\u00fc\u00df dich')).toEqual({
    text: 'GR\u00dcSS DICH',
    vm: 4,
    host: 'alpha',
    ms: expect.any(Number),
  });
});

test('a text comes back as it was sent, whatever is in it', async () => {
  await using fleet = await servedFleet((request) => request.replyTo.tell(processed(request.payload)));
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  for (const text of ['', '\ufeffwith a mark', '\u0000\r\n', '\ud83d\udc1f'.repeat(1_000)]) {
    expect((await client.request(text)).text).toBe(text);
  }
});

test.each<[unknown, RegExp]>([
  [undefined, /string, got undefined/],
  [null, /string, got null/],
  [new Uint8Array(1), /string, got object/],
  ['half a fish: \ud83d', /half of a surrogate pair/],
])('%j is no text and is refused', async (given, message) => {
  await using fleet = await servedFleet(() => expect.unreachable());
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  // What JavaScript may hand over.
  const text = given as string;
  const refusal = { code: 'REQUEST_INVALID', message: expect.stringMatching(message) };
  await expect(client.request(text)).rejects.toMatchObject(refusal);
});

test('options that cannot be meant are refused, naming the value', async () => {
  await using fleet = await servedFleet(() => expect.unreachable());
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const refusal = (got: string) => ({ code: 'REQUEST_INVALID', message: expect.stringContaining(got) });
  await expect(client.request('', { op: 'No Such' })).rejects.toMatchObject(refusal('"No Such"'));
  await expect(client.request('', { deadlineMs: 1.5 })).rejects.toMatchObject(refusal('1.5'));
  await expect(client.request('', { id: '\n' })).rejects.toMatchObject(refusal('\\n'));
});

test('a signal ends the wait, also of one that waits for a Shoal to come back', async () => {
  let isFirst = true;
  await using fleet = await servedFleet((request) => {
    if (isFirst) reply(request, 'served');
    isFirst = false;
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  await client.request('');
  const first = new AbortController();
  const waiting = expect(client.request('', { signal: first.signal })).rejects.toMatchObject({
    code: 'REQUEST_CANCELLED',
    cause: 'enough',
  });
  first.abort('enough');
  await waiting;
  await fleet.system.stop(fleet.endpoint);
  const second = new AbortController();
  const looking = expect(client.request('', { signal: second.signal })).rejects.toMatchObject({
    code: 'REQUEST_CANCELLED',
  });
  second.abort();
  await looking;
  expect(client.inFlight).toBe(0);
});

test('credentials open a server that wants some', async () => {
  await using nats = await securedNatsServer(['authorization { user: me, password: "s3cret" }']);
  const responder = await connectNats({ servers: nats.url, user: 'me', pass: 's3cret' });
  responder.subscribe('shoal.default.process', { callback: (_, message) => message.respond('let in') });
  await responder.flush();
  await using client = await connect({ servers: nats.url, credentials: { user: 'me', password: 's3cret' } });
  expect(await client.request('')).toMatchObject({ text: 'let in' });
  await responder.close();
  await expect(connect({ servers: nats.url })).rejects.toMatchObject({ code: 'NATS_UNAUTHORIZED' });
});

test('operation, id and retry reach the router', async () => {
  await using fleet = await servedFleet(({ op, requestId, retry, replyTo }) => {
    replyTo.tell(processed(new TextEncoder().encode(`${op} ${requestId} ${retry}`)));
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet, deadlineMs: 10_000 });
  const { text } = await client.request('', { op: 'count', id: 'a-1', retry: false });
  expect(text).toBe('count a-1 false');
});

test('errors are ShoalErrors with a code', async () => {
  await using fleet = await servedFleet(({ replyTo }) => {
    replyTo.tell({ ok: false, status: 404, reason: 'operation-unknown', message: 'no operation "nope"' });
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  await expect(client.request('', { op: 'nope' })).rejects.toMatchObject({
    name: 'ShoalError',
    code: 'REQUEST_OPERATION_UNKNOWN',
    message: 'no operation "nope"',
  });
});

test('closing ends what is in flight', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const ended = expect(client.request('text')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  await client.close();
  await ended;
  await expect(client.request('text')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
});

test('closing with patience lets what is in flight end, and takes no more', async () => {
  const asked = Promise.withResolvers<Request>();
  await using fleet = await servedFleet(asked.resolve);
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const sent = client.request('text');
  const request = await asked.promise;
  const closed = client.close({ waitMs: 60_000 });
  await expect(client.request('late')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  reply(request, 'TEXT');
  expect(await sent).toMatchObject({ text: 'TEXT' });
  await closed;
});

test('closing again ends the patience', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const ended = expect(client.request('text')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  const closed = client.close({ waitMs: 60_000 });
  await client.close();
  await Promise.all([ended, closed]);
});

test('a connection that is lost is made anew, and told; a request meanwhile ends well', async () => {
  await using fleet = await servedFleet((request) => reply(request, textOf(request).toUpperCase()));
  await using way = await wayTo(fleet.nats.port);
  const states: string[] = [];
  const client = await connect({ servers: way.url, fleet: fleet.fleet, onState: (state) => states.push(state) });
  await client.request('a');
  way.cut();
  expect(await client.request('b')).toMatchObject({ text: 'B' });
  await client.close();
  expect(states).toEqual(['lost', 'connected', 'closed']);
});

/** Lines of which some fail. */
const LINES = ['one', 'bad', 'three'];

test('lines: outcomes come in the order of the lines, and one that fails does not end the others', async () => {
  const held: Request[] = [];
  await using fleet = await servedFleet((request) => {
    held.push(request);
    if (held.length < LINES.length) return;
    // The last is answered first.
    for (const one of held.reverse()) {
      if (textOf(one) === 'bad')
        one.replyTo.tell({ ok: false, status: 400, reason: 'bad-request', message: 'that is bad' });
      else reply(one, textOf(one).toUpperCase());
    }
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const outcomes: LineOutcome[] = [];
  for await (const outcome of client.lines(LINES)) outcomes.push(outcome);
  expect(outcomes).toMatchObject([
    { ok: true, index: 0, text: 'ONE', vm: 1, host: 'alpha', ms: expect.any(Number) },
    { ok: false, index: 1, error: { code: 'REQUEST_INVALID', message: 'that is bad' } },
    { ok: true, index: 2, text: 'THREE' },
  ]);
});

test('lines: options hold for each, and what is no text fails alone', async () => {
  await using fleet = await servedFleet((request) => reply(request, `${request.op} ${request.retry}`));
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  // What JavaScript may hand over.
  const lines = ['a', 7 as unknown as string];
  const outcomes: LineOutcome[] = [];
  for await (const outcome of client.lines(lines, { op: 'count', retry: false })) outcomes.push(outcome);
  expect(outcomes).toMatchObject([
    { ok: true, text: 'count false' },
    { ok: false, error: { code: 'REQUEST_INVALID' } },
  ]);
});

test('lines: a source without end is read no further than what may be in flight', async () => {
  let inHand = 0;
  let inHandMax = 0;
  await using fleet = await servedFleet((request) => {
    inHand += 1;
    inHandMax = Math.max(inHandMax, inHand);
    setImmediate(() => {
      inHand -= 1;
      reply(request, textOf(request));
    });
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  let given = 0;
  const endless = (function* () {
    for (;;) yield `line ${given++}`;
  })();
  let taken = 0;
  for await (const outcome of client.lines(endless, { concurrency: 8 })) {
    expect(outcome).toMatchObject({ ok: true, text: `line ${taken}` });
    taken += 1;
    expect(given - taken).toBeLessThanOrEqual(9);
    if (taken === 2_000) break;
  }
  expect(inHandMax).toBeLessThanOrEqual(8);
});

test('lines: leaving early cancels what is in flight', async () => {
  await using fleet = await servedFleet((request) => {
    if (textOf(request) === 'first') reply(request, 'FIRST');
  });
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  for await (const outcome of client.lines(['first', 'second', 'third'])) {
    expect(outcome).toMatchObject({ ok: true, text: 'FIRST' });
    break;
  }
  // Had they not been cancelled, this would wait for them.
  await client.close({ waitMs: 600_000 });
});

test('lines: a signal ends those in flight, then all', async () => {
  const asked = Promise.withResolvers<void>();
  await using fleet = await servedFleet(() => asked.resolve(), { drainLimitMs: 1 });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const controller = new AbortController();
  const lines = client.lines(['one'].values(), { signal: controller.signal, concurrency: 1 });
  const first = lines.next();
  await asked.promise;
  controller.abort('enough');
  expect((await first).value).toMatchObject({ ok: false, index: 0, error: { code: 'REQUEST_CANCELLED' } });
  await expect(lines.next()).rejects.toMatchObject({ code: 'REQUEST_CANCELLED', cause: 'enough' });
});

test('lines: closing the client ends them', async () => {
  await using fleet = await servedFleet((request) => reply(request, 'x'));
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const endless = (function* () {
    for (;;) yield 'line';
  })();
  const reading = (async () => {
    for await (const _ of client.lines(endless)) void client.close();
  })();
  await expect(reading).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
});

test.each<[unknown, object, RegExp]>([
  ['a text', {}, /an array, a stream of lines or another iterable of strings, got string/],
  [null, {}, /iterable of strings, got object/],
  [[], { concurrency: 0 }, /from 1 to 1024, got 0/],
  [[], { concurrency: 1.5 }, /got 1\.5/],
])('lines of %j with %j are refused', async (given, options, message) => {
  await using fleet = await servedFleet(() => expect.unreachable());
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  // What JavaScript may hand over.
  const lines = given as string[];
  expect(() => client.lines(lines, options)).toThrow(message);
});

test('a fleet name, a deadline or an address that is none is refused', async () => {
  await using fleet = await servedFleet(() => undefined);
  const servers = fleet.nats.url;
  await expect(connect({ servers, fleet: 'a.b' })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  await expect(connect({ servers, deadlineMs: 0 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  await expect(connect({ servers: 'ftp://h' })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  await expect(connect({ servers, connectTimeoutMs: 0 })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
});

/** A way to a NATS server that can be cut; who connects again is let through. */
async function wayTo(port: number): Promise<AsyncDisposable & { readonly url: string; cut(): void }> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    cut,
    [Symbol.asyncDispose]: async () => {
      server.close();
      cut();
    },
  };
}
