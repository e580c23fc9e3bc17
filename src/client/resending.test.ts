import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ShoalError } from '../errors.ts';
import { noReplyWithin, type Reply, type Requester, type RequestOptions } from '../transport/mod.ts';
import { sendUntilEnded } from './resending.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const REPLY: Reply = { payload: new Uint8Array([1]), vm: 1, host: 'h' };
const OPTIONS = { requestId: 'id-1', deadlineMs: 10_000 };

/** A requester whose attempts the test settles by hand. */
class FakeRequester implements Requester {
  readonly attempts: (PromiseWithResolvers<Reply> & { readonly options: RequestOptions })[] = [];
  readonly inFlight = 0;

  request(_payload: Uint8Array, options: RequestOptions = {}): Promise<Reply> {
    const attempt = { ...Promise.withResolvers<Reply>(), options };
    this.attempts.push(attempt);
    return attempt.promise;
  }

  close(): void {
    // Nothing is open.
  }
}

const send = (requester: Requester, wasServed = true): Promise<Reply> =>
  sendUntilEnded(requester, new Uint8Array(0), OPTIONS, () => wasServed);

test('a reply to the first is the end of it', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  requester.attempts[0]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
  expect(requester.attempts).toHaveLength(1);
});

test('without a reply it is sent again, ever more rarely, with the same id and what is left of its deadline', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  await vi.advanceTimersByTimeAsync(7_500);
  expect(requester.attempts.map(({ options }) => options)).toEqual([
    { requestId: 'id-1', deadlineMs: 10_000 },
    { requestId: 'id-1', deadlineMs: 9_000 },
    { requestId: 'id-1', deadlineMs: 7_000 },
    { requestId: 'id-1', deadlineMs: 3_000 },
  ]);
  requester.attempts[1]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
});

test('an error of the fleet is the end of it, whichever attempt brings it', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  await vi.advanceTimersByTimeAsync(1_500);
  requester.attempts[0]?.reject(new ShoalError('REQUEST_OVERLOADED', 'full'));
  await expect(sent).rejects.toMatchObject({ code: 'REQUEST_OVERLOADED' });
});

test('past its deadline it is not sent again, and the caller is told of the deadline that he gave', async () => {
  const silent = new FakeRequester();
  const sent = send(silent);
  const told = expect(sent).rejects.toMatchObject({
    code: 'REQUEST_DEADLINE',
    message: expect.stringContaining(' 10000 ms'),
  });
  await vi.advanceTimersByTimeAsync(OPTIONS.deadlineMs);
  await told;
  expect(silent.attempts).toHaveLength(4);

  const expiring = new FakeRequester();
  const second = send(expiring);
  await vi.advanceTimersByTimeAsync(7_500);
  expiring.attempts[3]?.reject(noReplyWithin(3_000));
  await expect(second).rejects.toMatchObject({ details: { deadlineMs: OPTIONS.deadlineMs } });
});

test('nobody there is an instant failure for who was never served, and is waited out by who was', async () => {
  const nobody = new ShoalError('REQUEST_NO_RESPONDERS', 'nobody');
  const stranger = new FakeRequester();
  const refused = send(stranger, false);
  stranger.attempts[0]?.reject(nobody);
  await expect(refused).rejects.toBe(nobody);

  const known = new FakeRequester();
  const sent = send(known);
  known.attempts[0]?.reject(nobody);
  await vi.advanceTimersByTimeAsync(200);
  known.attempts[1]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
});

test('a repeat that finds nobody does not end what the first has in hand', async () => {
  const requester = new FakeRequester();
  const sent = send(requester, false);
  await vi.advanceTimersByTimeAsync(1_000);
  requester.attempts[1]?.reject(new ShoalError('REQUEST_NO_RESPONDERS', 'it is stopping'));
  await vi.advanceTimersByTimeAsync(500);
  requester.attempts[0]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
});

test('a repeat for which there is no room here does not end what the first has in hand', async () => {
  const full = new ShoalError('REQUEST_OVERLOADED', 'full', { details: { inFlight: 16_384 } });
  const requester = new FakeRequester();
  const sent = send(requester);
  await vi.advanceTimersByTimeAsync(1_000);
  requester.attempts[1]?.reject(full);
  await vi.advanceTimersByTimeAsync(500);
  requester.attempts[0]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);

  const first = new FakeRequester();
  const refused = send(first);
  first.attempts[0]?.reject(full);
  await expect(refused).rejects.toBe(full);
});

test('nobody there until the deadline is told as that', async () => {
  const nobody = new ShoalError('REQUEST_NO_RESPONDERS', 'nobody');
  const requester: Requester = { inFlight: 0, request: () => Promise.reject(nobody), close: () => undefined };
  const sent = send(requester).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await sent).toBe(nobody);
});
