import { type Msg, headers as natsHeaders } from 'nats';
import { describe, expect, test } from 'vitest';
import { probe } from '../actors/kit/mod.ts';
import type { FailureReason, Request, RequestStatus } from '../fleet/mod.ts';
import type { EndpointEvent } from './endpoint-messages.ts';
import { headerBytes } from './header-bytes.ts';
import { processed, type ServedFleet, servedFleet } from './kit/mod.ts';
import { subjectsOf } from './subjects.ts';

const TIMEOUT_MS = 10_000;
const text = new TextEncoder();

function send(fleet: ServedFleet, payload: string, headers: Readonly<Record<string, string>> = {}): Promise<Msg> {
  const made = natsHeaders();
  for (const [name, value] of Object.entries(headers)) made.append(name, value);
  const options = Object.keys(headers).length === 0 ? {} : { headers: made };
  return fleet.nc.request(subjectsOf(fleet.fleet).process, payload, { timeout: TIMEOUT_MS, ...options });
}

function errorOf(message: Msg): { code: string | undefined; text: string | undefined } {
  return {
    code: message.headers?.get('Nats-Service-Error-Code'),
    text: message.headers?.get('Nats-Service-Error'),
  };
}

/** A router that holds its requests for the test to answer. */
function holding() {
  const requests: Request[] = [];
  let arrived = (): void => undefined;
  return {
    handle: (request: Request) => {
      requests.push(request);
      arrived();
    },
    next: async (): Promise<Request> => {
      if (requests.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      const request = requests.shift();
      if (request === undefined) throw new Error('a request had arrived');
      return request;
    },
  };
}

describe('a request', () => {
  test('becomes a message to the router, and the outcome its reply', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle, { deadlineMs: 4_000 });
    const replied = send(fleet, 'text');
    const before = performance.now();
    const request = await router.next();
    expect(request).toMatchObject({ op: '', retry: true });
    expect(Buffer.from(request.payload).toString()).toBe('text');
    expect(request.requestId).toMatch(/^[!-~]{1,128}$/);
    expect(request.deadlineMs).toBeLessThanOrEqual(performance.now() + 4_000);
    expect(request.deadlineMs).toBeGreaterThan(before - 1_000);
    expect(request.replyTo.tell(processed(text.encode('TEXT'), 7, 'beta'))).toBe(true);
    const reply = await replied;
    expect(reply.string()).toBe('TEXT');
    expect(reply.headers?.get('Shoal-Vm')).toBe('7');
    expect(reply.headers?.get('Shoal-Host')).toBe('beta');
    expect(errorOf(reply)).toEqual({ code: '', text: '' });
  });

  test('carries what its headers say, equal ones and others', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle);
    const cases = [
      [{ 'Shoal-Op': 'count' }, { op: 'count', retry: true }],
      [{ 'Shoal-Op': 'count' }, { op: 'count', retry: true }],
      [
        { 'Shoal-Retry': 'no', 'Shoal-Request-Id': 'a' },
        { op: '', retry: false, requestId: 'a' },
      ],
      [
        { 'Shoal-Retry': 'no', 'Shoal-Request-Id': 'b' },
        { op: '', retry: false, requestId: 'b' },
      ],
      [{ 'Shoal-Op': 'v2.word_count-1' }, { op: 'v2.word_count-1' }],
    ] as const;
    for (const [headers, expected] of cases) {
      const replied = send(fleet, '', headers);
      const request = await router.next();
      expect(request).toMatchObject(expected);
      request.replyTo.tell(processed(request.payload));
      await replied;
    }
  });

  test('has a deadline of its own, or the default that was set last', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle, { deadlineMs: 1_000_000 });
    fleet.endpoint.tell({ kind: 'default-deadline', deadlineMs: 3_000_000 });
    await fleet.counts();
    for (const [headers, expectedMs] of [
      [{ 'Shoal-Deadline-Ms': '2000000' }, 2_000_000],
      [{}, 3_000_000],
    ] as const) {
      const replied = send(fleet, '', headers);
      const request = await router.next();
      expect(Math.abs(request.deadlineMs - performance.now() - expectedMs)).toBeLessThan(60_000);
      request.replyTo.tell(processed(request.payload));
      await replied;
    }
  });

  test.each<[RequestStatus, FailureReason]>([
    [400, 'bad-request'],
    [404, 'operation-unknown'],
    [413, 'too-large'],
    [499, 'cancelled'],
    [501, 'not-implemented'],
    [502, 'poison'],
    [503, 'queue-full'],
    [504, 'expired-in-line'],
  ])('that ends with %i is told so as NATS services tell it, and why: %s', async (status, reason) => {
    await using fleet = await servedFleet((request) => {
      request.replyTo.tell({ ok: false, status, reason, message: `it was\n${status}`, vm: 3, host: 'alpha' });
    });
    const reply = await send(fleet, 'text');
    expect(errorOf(reply)).toEqual({ code: String(status), text: `it was ${status}` });
    expect(reply.headers?.get('Shoal-Reason')).toBe(reason);
    expect(reply.headers?.get('Shoal-Vm')).toBe('3');
    expect(reply.data.length).toBe(0);
  });

  test('with a header that is refused never reaches the router', async () => {
    await using fleet = await servedFleet(() => expect.unreachable());
    const cases = [
      [{ 'Shoal-Op': 'No' }, 'Shoal-Op: expected 1 to 64 of a-z, 0-9, "-", "." and "_", got "No"'],
      [{ 'Shoal-Deadline-Ms': '0' }, 'Shoal-Deadline-Ms: expected an integer from 1 to 3600000, got "0"'],
      [
        { 'Shoal-Request-Id': '\u00fc' },
        'Shoal-Request-Id: expected 1 to 128 printable ASCII characters, got "\\u00fc"',
      ],
      [{ 'Shoal-Retry': '1' }, 'Shoal-Retry: expected "yes" or "no", got "1"'],
    ] as const;
    for (const [headers, expected] of cases) {
      expect(errorOf(await send(fleet, '', headers))).toEqual({ code: '400', text: expected });
    }
    expect(await fleet.counts()).toMatchObject({ requests: 4, errors: 4, inFlight: 0 });
  });

  test('with headers that nobody can read is refused, and the endpoint goes on', async () => {
    await using fleet = await servedFleet((request) => request.replyTo.tell(processed(request.payload)));
    const made = natsHeaders();
    // Bypasses the checks of nats.js, as a client in another language would.
    Object.assign(made, { encode: () => text.encode('NATS/1.0\r\nBad\u0001Name: x\r\n\r\n') });
    const reply = await fleet.nc.request(subjectsOf(fleet.fleet).process, '', { timeout: TIMEOUT_MS, headers: made });
    expect(errorOf(reply)).toMatchObject({ code: '400', text: expect.stringContaining('cannot be read') });
    expect((await send(fleet, 'next')).string()).toBe('next');
  });

  test('whose reply is larger than the server takes gets 413', async () => {
    await using fleet = await servedFleet((request) => request.replyTo.tell(processed(new Uint8Array(2_000))), {
      nats: { maxPayloadBytes: 2_000 },
    });
    const reply = await send(fleet, 'text');
    expect(errorOf(reply)).toEqual({ code: '413', text: expect.stringMatching(/2\d\d\d bytes, and .* takes 2000/) });
  });

  test('whose reply is as large as the server takes gets it, and 413 for a byte more', async () => {
    let bytes = 2_000;
    await using fleet = await servedFleet((request) => request.replyTo.tell(processed(new Uint8Array(bytes))), {
      nats: { maxPayloadBytes: 2_000 },
    });
    const { text: refusal } = errorOf(await send(fleet, 'text'));
    const whole = Number(/has (\d+) bytes/.exec(refusal ?? '')?.[1]);
    bytes = 2_000 - (whole - 2_000);
    expect((await send(fleet, 'text')).data).toHaveLength(bytes);
    bytes += 1;
    expect(errorOf(await send(fleet, 'text')).code).toBe('413');
  });

  test('without a reply subject is counted and told as an event, many of them as few', async () => {
    const events: { current: ReturnType<typeof probe<EndpointEvent>> | undefined } = { current: undefined };
    const sink = { path: 'sink', tell: (event: EndpointEvent) => events.current?.ref.tell(event) ?? false };
    await using fleet = await servedFleet(() => expect.unreachable(), { events: sink });
    events.current = probe<EndpointEvent>(fleet.system);
    for (let count = 0; count < 500; count++) fleet.nc.publish(subjectsOf(fleet.fleet).process, 'lost');
    let told = 0;
    while (told < 500) told += (await events.current.expect({ kind: 'requests-without-reply' })).count;
    expect(told).toBe(500);
    expect(events.current.received.length).toBeLessThan(10);
    expect(await fleet.counts()).toMatchObject({ withoutReply: 500, errors: 500 });
    fleet.nc.publish(subjectsOf(fleet.fleet).process, 'lost');
    expect(await events.current.expect({ kind: 'requests-without-reply' })).toMatchObject({ count: 1 });
  });

  test.each([
    ['an event', 'shoal.test.events'],
    ['a command', 'shoal.test.admin.down'],
    ['a request', 'shoal.test.process'],
    ["a call of the server's own", '$JS.API.STREAM.DELETE.KV_x'],
  ])('whose reply would be %s is dropped and counted', async (_, reply) => {
    await using fleet = await servedFleet(() => expect.unreachable());
    const forged: string[] = [];
    fleet.nc.subscribe('>', { callback: (_error, { subject }) => forged.push(subject) });
    fleet.nc.publish(subjectsOf(fleet.fleet).process, 'text', { reply });
    await fleet.nc.flush();
    // NATS keeps the order of a connection: a forged message would arrive before the flush returns.
    await expect.poll(() => fleet.counts()).toMatchObject({ withoutReply: 1, inFlight: 0 });
    await fleet.connection.nc.flush();
    await fleet.nc.flush();
    expect(forged).toEqual(['shoal.test.process']);
  });

  test('is answered at once if the router takes none', async () => {
    await using fleet = await servedFleet(() => expect.unreachable());
    await fleet.system.stop(fleet.router);
    expect(errorOf(await send(fleet, 'text'))).toMatchObject({ code: '503', text: expect.stringContaining('router') });
  });

  test('beyond the limit of those in hand is answered at once', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle, { inFlightMax: 1 });
    const first = send(fleet, 'first');
    const request = await router.next();
    expect(errorOf(await send(fleet, 'second'))).toMatchObject({
      code: '503',
      text: expect.stringContaining('1 requests'),
    });
    request.replyTo.tell(processed(request.payload));
    expect((await first).string()).toBe('first');
  });

  test('beyond the bytes that may be in hand is answered at once, and one alone is always taken', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle, { inFlightBytesMax: 10 });
    const first = send(fleet, 'x'.repeat(20));
    const request = await router.next();
    expect(errorOf(await send(fleet, 'y'))).toMatchObject({ code: '503', text: expect.stringContaining('20 bytes') });
    request.replyTo.tell(processed(request.payload));
    expect((await first).data).toHaveLength(20);
    const next = send(fleet, 'z');
    (await router.next()).replyTo.tell(processed(text.encode('Z')));
    expect((await next).string()).toBe('Z');
    const both = [send(fleet, 'a'), send(fleet, 'b')];
    for (const expected of ['A', 'B']) (await router.next()).replyTo.tell(processed(text.encode(expected)));
    expect((await Promise.all(both)).map((reply) => reply.string())).toEqual(['A', 'B']);
  });

  test('is answered once, whatever the router says afterwards', async () => {
    const answers: boolean[] = [];
    await using fleet = await servedFleet((request) => {
      answers.push(request.replyTo.tell(processed(request.payload)));
      answers.push(request.replyTo.tell({ ok: false, status: 502, reason: 'vm-lost', message: 'too late' }));
    });
    const inbox = fleet.nc.subscribe('test.inbox');
    fleet.nc.publish(subjectsOf(fleet.fleet).process, 'text', { reply: 'test.inbox' });
    for await (const message of inbox) {
      expect(message.string()).toBe('text');
      break;
    }
    expect(answers).toEqual([true, false]);
    expect(await fleet.counts()).toMatchObject({ requests: 1, errors: 0 });
  });
});

test('10 000 requests are each answered once, with their own reply', async () => {
  await using fleet = await servedFleet((request) => request.replyTo.tell(processed(request.payload)));
  const count = 10_000;
  const seen = new Map<string, number>();
  const { promise: all, resolve } = Promise.withResolvers<void>();
  fleet.nc.subscribe('test.inbox.*', {
    callback: (_error, message) => {
      const id = message.subject.slice('test.inbox.'.length);
      if (message.string() !== `text ${id}`) resolve();
      seen.set(id, (seen.get(id) ?? 0) + 1);
      if (seen.size === count) resolve();
    },
  });
  for (let id = 0; id < count; id++) {
    fleet.nc.publish(subjectsOf(fleet.fleet).process, `text ${id}`, { reply: `test.inbox.${id}` });
    // In bursts, so that buffer sizes do not matter here.
    if (id % 500 === 499) await fleet.nc.flush();
  }
  await all;
  await fleet.nc.flush();
  expect(seen.size).toBe(count);
  expect([...seen.values()].every((times) => times === 1)).toBe(true);
  expect(await fleet.counts()).toMatchObject({ requests: count, errors: 0, inFlight: 0 });
});

describe('draining', () => {
  test('takes no more, and answers what is in hand', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle);
    const replied = send(fleet, 'in hand');
    const request = await router.next();
    const drained = fleet.system.ask<Parameters<typeof fleet.endpoint.tell>[0], true>(
      fleet.endpoint,
      (replyTo) => ({ kind: 'drain', limitMs: TIMEOUT_MS, replyTo }),
      2 * TIMEOUT_MS,
    );
    // Mailbox and connection keep their order: after these two the server has read the unsubscribe.
    await fleet.counts();
    await fleet.connection.nc.flush();
    await expect(send(fleet, 'too late')).rejects.toMatchObject({ code: '503' });
    request.replyTo.tell(processed(request.payload));
    expect((await replied).string()).toBe('in hand');
    expect(await drained).toBe(true);
  });

  test('ends at its limit, and what is left is refused', async () => {
    const router = holding();
    await using fleet = await servedFleet(router.handle, { drainLimitMs: 50 });
    const replied = send(fleet, 'held');
    const request = await router.next();
    await fleet.system.stop(fleet.endpoint);
    expect(errorOf(await replied)).toEqual({ code: '503', text: 'Shoal is stopping' });
    expect(request.replyTo.tell(processed(request.payload))).toBe(false);
  });
});

test('a reply to a request of a Shoal before us finds its client by its token, and a forged token nobody', async () => {
  const router = holding();
  await using fleet = await servedFleet(router.handle);
  const replied = send(fleet, 'before the crash');
  const { token, payload } = await router.next();
  const forged = Uint8Array.from(token, (byte, at) => (at === 20 ? byte ^ 1 : byte));
  fleet.endpoint.tell({ kind: 'orphaned-reply', token: forged, outcome: processed(text.encode('forged')) });
  fleet.endpoint.tell({ kind: 'orphaned-reply', token, outcome: processed(payload, 5) });
  const reply = await replied;
  expect(reply.string()).toBe('before the crash');
  expect(reply.headers?.get('Shoal-Vm')).toBe('5');
  expect(await fleet.counts()).toMatchObject({ orphanedReplies: 1 });
});

test('the endpoint fails when its connection is closed, so that its supervisor learns of it', async () => {
  await using fleet = await servedFleet(() => undefined);
  const ended = fleet.system.ended(fleet.endpoint);
  await fleet.connection.nc.close();
  expect(await ended).toMatchObject({ reason: { kind: 'error' } });
});

test('the bytes of headers are where this version of nats.js keeps them', async () => {
  await using fleet = await servedFleet(() => undefined);
  const seen: (string | undefined)[] = [];
  const subscription = fleet.nc.subscribe('test.bytes', {
    max: 2,
    callback: (_error, message) => seen.push(headerBytes(message)),
  });
  const headers = natsHeaders();
  headers.set('A', 'b');
  fleet.nc.publish('test.bytes', 'payload', { headers });
  fleet.nc.publish('test.bytes', 'payload');
  await subscription.closed;
  expect(seen).toEqual(['NATS/1.0\r\nA: b\r\n\r\n', undefined]);
});
