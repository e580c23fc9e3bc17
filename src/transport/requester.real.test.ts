import { describe, expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import type { Ref } from '../actors/mod.ts';
import type { Request, RequestStatus } from '../fleet/mod.ts';
import type { EndpointMessage } from './endpoint-messages.ts';
import { processed, servedFleet } from './kit/mod.ts';
import { createRequester } from './requester.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

describe('a request', () => {
  test('gets its reply, and who made it', async () => {
    await using fleet = await servedFleet((request) => request.replyTo.tell(processed(request.payload, 12, 'beta')));
    const requester = createRequester(fleet.nc, fleet);
    const reply = await requester.request(encoder.encode('text'));
    expect({ ...reply, payload: decoder.decode(reply.payload) }).toEqual({ payload: 'text', vm: 12, host: 'beta' });
    expect(requester.inFlight).toBe(0);
  });

  test('says what it wants', async () => {
    await using fleet = await servedFleet(({ op, requestId, retry, replyTo }) => {
      replyTo.tell(processed(encoder.encode(JSON.stringify({ op, requestId, retry }))));
    });
    const requester = createRequester(fleet.nc, fleet);
    const { payload } = await requester.request(new Uint8Array(0), { op: 'count', requestId: 'order 7', retry: false });
    expect(JSON.parse(decoder.decode(payload))).toEqual({ op: 'count', requestId: 'order 7', retry: false });
  });

  test.each<[RequestStatus, string]>([
    [400, 'REQUEST_INVALID'],
    [404, 'REQUEST_OPERATION_UNKNOWN'],
    [413, 'REQUEST_TOO_LARGE'],
    [499, 'REQUEST_CANCELLED'],
    [501, 'REQUEST_OPERATION_UNKNOWN'],
    [502, 'REQUEST_VM_FAILED'],
    [503, 'REQUEST_OVERLOADED'],
    [504, 'REQUEST_DEADLINE'],
  ])('that ends with %i throws %s', async (status, code) => {
    await using fleet = await servedFleet(({ replyTo }) => {
      replyTo.tell({ ok: false, status, reason: 'vm-lost', message: 'the reason', vm: 3, host: 'alpha' });
    });
    await expect(createRequester(fleet.nc, fleet).request(new Uint8Array(0))).rejects.toMatchObject({
      code,
      message: 'the reason',
      details: { status: String(status), reason: 'vm-lost', vm: 3, host: 'alpha' },
    });
  });

  test('to a fleet that nobody serves fails at once, long before its deadline', async () => {
    await using fleet = await servedFleet(() => undefined);
    // This clock stands still, so no deadline passes.
    const requester = createRequester(fleet.nc, { fleet: 'other', clock: new ManualClock() });
    await expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({
      code: 'REQUEST_NO_RESPONDERS',
      message: expect.stringContaining('other'),
    });
  });

  test('that gets no reply ends a quarter of a second after its deadline', async () => {
    await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
    const clock = new ManualClock();
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, clock });
    const ended = expect(requester.request(new Uint8Array(0), { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'REQUEST_DEADLINE',
      details: { deadlineMs: 500 },
    });
    await clock.advance(749);
    expect(requester.inFlight).toBe(1);
    await clock.advance(41);
    await ended;
    expect(requester.inFlight).toBe(0);
    // Nothing is in flight, so nothing has a deadline.
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  test('whose end the fleet tells just after its deadline ends with what the fleet says', async () => {
    const came = Promise.withResolvers<Request>();
    await using fleet = await servedFleet((request) => came.resolve(request));
    const clock = new ManualClock();
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, clock });
    const ended = expect(requester.request(new Uint8Array(0), { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'REQUEST_DEADLINE',
      message: 'no VM can be started',
    });
    const { replyTo } = await came.promise;
    await clock.advance(600);
    replyTo.tell({ ok: false, status: 504, reason: 'expired-in-line', message: 'no VM can be started', host: 'alpha' });
    await ended;
  });

  test('larger than the server takes is refused here', async () => {
    await using fleet = await servedFleet(() => expect.unreachable(), { nats: { maxPayloadBytes: 1_000 } });
    const requester = createRequester(fleet.nc, fleet);
    await expect(requester.request(new Uint8Array(1_000))).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    expect(requester.inFlight).toBe(0);
  });

  test('with a wrong option is refused here', async () => {
    await using fleet = await servedFleet(() => expect.unreachable());
    const requester = createRequester(fleet.nc, fleet);
    await expect(requester.request(new Uint8Array(0), { op: 'A' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('can be cancelled, before and after it was sent', async () => {
    await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
    const requester = createRequester(fleet.nc, fleet);
    const controller = new AbortController();
    const ended = expect(requester.request(new Uint8Array(0), { signal: controller.signal })).rejects.toMatchObject({
      code: 'REQUEST_CANCELLED',
      cause: 'changed my mind',
    });
    controller.abort('changed my mind');
    await ended;
    await expect(requester.request(new Uint8Array(0), { signal: controller.signal })).rejects.toMatchObject({
      code: 'REQUEST_CANCELLED',
    });
    expect(requester.inFlight).toBe(0);
  });

  test('beyond the limit in flight is refused here', async () => {
    await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, inFlightMax: 1 });
    const first = expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    await expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({
      code: 'REQUEST_OVERLOADED',
      details: { inFlight: 1 },
    });
    requester.close();
    await first;
  });
});

describe('a request that is sent again', () => {
  /** A fleet that records requests and leaves the answers to the test. */
  async function silentFleet() {
    const asked: Request[] = [];
    let onCount: { readonly count: number; readonly resolve: () => void } | undefined;
    const handle = (request: Request): void => {
      asked.push(request);
      if (asked.length === onCount?.count) onCount.resolve();
    };
    const fleet = await servedFleet(handle, { drainLimitMs: 1 });
    const came = async (count: number): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      onCount = { count, resolve };
      if (asked.length >= count) resolve();
      await promise;
    };
    return { fleet, asked, came };
  }

  test('is one of those in flight, however often it is sent, and leaves none behind', async () => {
    const { fleet, asked, came } = await silentFleet();
    await using _ = fleet;
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, inFlightMax: 2 });
    const sent = requester.send(encoder.encode('text'), { requestId: 'a', deadlineMs: 60_000 });
    for (let times = 0; times < 50; times++) sent.again(50_000);
    await came(51);
    expect(new Set(asked.map(({ requestId, payload }) => `${requestId} ${decoder.decode(payload)}`))).toEqual(
      new Set(['a text']),
    );
    expect(requester.inFlight).toBe(1);
    const other = requester.request(encoder.encode('other'));
    await came(52);
    for (const { payload, replyTo } of asked) replyTo.tell(processed(payload));
    expect(decoder.decode((await sent.reply).payload)).toBe('text');
    expect(decoder.decode((await other).payload)).toBe('other');
    expect(requester.inFlight).toBe(0);
  });

  test.each([0, 1, 2])(
    'is ended by the reply to attempt %i, whenever that comes; no other reply is heard',
    async (late) => {
      const { fleet, asked, came } = await silentFleet();
      await using _ = fleet;
      const requester = createRequester(fleet.nc, fleet);
      const sent = requester.send(new Uint8Array(0));
      sent.again(20_000);
      sent.again(10_000);
      await came(3);
      asked[late]?.replyTo.tell(processed(encoder.encode('the first')));
      expect(decoder.decode((await sent.reply).payload)).toBe('the first');
      for (const { replyTo } of asked) replyTo.tell(processed(encoder.encode('another')));
      sent.again(10_000);
      const next = requester.request(new Uint8Array(0));
      await came(4);
      asked[3]?.replyTo.tell(processed(encoder.encode('its own')));
      expect(decoder.decode((await next).payload)).toBe('its own');
    },
  );

  test('has its first deadline, and its own signal', async () => {
    const { fleet, came } = await silentFleet();
    await using _ = fleet;
    const clock = new ManualClock();
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, clock });
    const sent = requester.send(new Uint8Array(0), { deadlineMs: 500 });
    const expired = expect(sent.reply).rejects.toMatchObject({
      code: 'REQUEST_DEADLINE',
      details: { deadlineMs: 500 },
    });
    sent.again(400);
    await came(2);
    await clock.advance(790);
    await expired;
    const user = new AbortController();
    const given = requester.send(new Uint8Array(0), { signal: user.signal });
    const cancelled = expect(given.reply).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    given.again(400);
    user.abort();
    await cancelled;
    expect(requester.inFlight).toBe(0);
  });

  test('and finds nobody is still in the hands of who has it', async () => {
    const { fleet, asked, came } = await silentFleet();
    await using _ = fleet;
    const requester = createRequester(fleet.nc, fleet);
    const sent = requester.send(new Uint8Array(0));
    await came(1);
    // It takes no more requests, and will answer the open one.
    const drain = (replyTo: Ref<true>): EndpointMessage => ({ kind: 'drain', limitMs: 60_000, replyTo });
    const drained = fleet.system.ask(fleet.endpoint, drain, 60_000);
    await fleet.counts();
    await fleet.connection.nc.flush();
    sent.again(10_000);
    await fleet.nc.flush();
    asked[0]?.replyTo.tell(processed(encoder.encode('after all')));
    expect(decoder.decode((await sent.reply).payload)).toBe('after all');
    await drained;
  });

  test('finds nobody if that is so of every attempt', async () => {
    await using fleet = await servedFleet(() => undefined);
    const requester = createRequester(fleet.nc, { fleet: 'other' });
    const sent = requester.send(new Uint8Array(0));
    sent.again(10_000);
    await expect(sent.reply).rejects.toMatchObject({ code: 'REQUEST_NO_RESPONDERS' });
    expect(requester.inFlight).toBe(0);
  });
});

test('10 000 requests, 256 at a time, each gets its own reply', async () => {
  await using fleet = await servedFleet((request) => request.replyTo.tell(processed(request.payload)));
  const requester = createRequester(fleet.nc, fleet);
  let sent = 0;
  let right = 0;
  const worker = async (): Promise<void> => {
    while (sent < 10_000) {
      const text = `text ${sent++}`;
      if (decoder.decode((await requester.request(encoder.encode(text))).payload) === text) right += 1;
    }
  };
  await Promise.all(Array.from({ length: 256 }, worker));
  expect(right).toBe(10_000);
  expect(requester.inFlight).toBe(0);
});

test('closing ends what is in flight, and nothing is taken afterwards', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const requester = createRequester(fleet.nc, fleet);
  const ended = expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  requester.close();
  requester.close();
  await ended;
  await expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
});

test('the end of the connection ends what is in flight', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const requester = createRequester(fleet.nc, fleet);
  const ended = expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
  await fleet.nc.close();
  await ended;
});

test('a server that is lost lets requests end by their deadline', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const clock = new ManualClock();
  const requester = createRequester(fleet.nc, { fleet: fleet.fleet, clock });
  const ended = expect(requester.request(new Uint8Array(0), { deadlineMs: 100 })).rejects.toMatchObject({
    code: 'REQUEST_DEADLINE',
  });
  await fleet.nats.kill();
  await clock.advance(400);
  await ended;
});
