import { describe, expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import type { RequestStatus } from '../fleet/mod.ts';
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
      replyTo.tell({ ok: false, status, message: 'the reason', vm: 3, host: 'alpha' });
    });
    await expect(createRequester(fleet.nc, fleet).request(new Uint8Array(0))).rejects.toMatchObject({
      code,
      message: 'the reason',
      details: { status: String(status), vm: 3, host: 'alpha' },
    });
  });

  test('to a fleet that nobody serves fails at once, long before its deadline', async () => {
    await using fleet = await servedFleet(() => undefined);
    // On this clock no deadline ever passes.
    const requester = createRequester(fleet.nc, { fleet: 'other', clock: new ManualClock() });
    await expect(requester.request(new Uint8Array(0))).rejects.toMatchObject({
      code: 'REQUEST_NO_RESPONDERS',
      message: expect.stringContaining('other'),
    });
  });

  test('that gets no reply ends at its deadline', async () => {
    await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
    const clock = new ManualClock();
    const requester = createRequester(fleet.nc, { fleet: fleet.fleet, clock });
    const ended = expect(requester.request(new Uint8Array(0), { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'REQUEST_DEADLINE',
      details: { deadlineMs: 500 },
    });
    await clock.advance(499);
    expect(requester.inFlight).toBe(1);
    await clock.advance(41);
    await ended;
    expect(requester.inFlight).toBe(0);
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
  await clock.advance(150);
  await ended;
});
