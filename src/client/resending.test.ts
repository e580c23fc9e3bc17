import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { noReplyWithin, type Reply, type Requester, type RequestOptions, type SentRequest } from '../transport/mod.ts';
import { sendUntilEnded } from './resending.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const REPLY: Reply = { payload: new Uint8Array([1]), vm: 1, host: 'h' };
const OPTIONS = { requestId: 'id-1', deadlineMs: 10_000 };

interface Sent extends PromiseWithResolvers<Reply> {
  readonly options: RequestOptions;
  /** What was left of the deadline at each repeat. */
  readonly again: number[];
}

/** A requester whose requests the test settles by hand. */
class FakeRequester implements Requester {
  readonly sent: Sent[] = [];
  readonly inFlight = 0;

  send(_payload: Uint8Array, options: RequestOptions = {}): SentRequest {
    const sent: Sent = { ...Promise.withResolvers<Reply>(), options, again: [] };
    this.sent.push(sent);
    return { reply: sent.promise, again: (deadlineMs) => sent.again.push(deadlineMs) };
  }

  request(payload: Uint8Array, options?: RequestOptions): Promise<Reply> {
    return this.send(payload, options).reply;
  }

  close(): void {
    // Nothing is open.
  }
}

const send = (requester: Requester, wasServed = true): Promise<Reply> =>
  sendUntilEnded(requester, new Uint8Array(0), OPTIONS, () => wasServed, systemClock);

test('a reply to the first is the end of it', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  requester.sent[0]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
  await vi.advanceTimersByTimeAsync(OPTIONS.deadlineMs);
  expect(requester.sent).toMatchObject([{ again: [] }]);
});

test('what its caller has sent before is marked as a repeat from the first', async () => {
  const requester = new FakeRequester();
  const sent = sendUntilEnded(requester, new Uint8Array(0), { ...OPTIONS, isRepeat: true }, () => true, systemClock);
  requester.sent[0]?.resolve(REPLY);
  await sent;
  expect(requester.sent).toMatchObject([{ options: { isRepeat: true } }]);
});

test('without a reply it is sent again, ever more rarely, as the same request with what is left of its deadline', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  await vi.advanceTimersByTimeAsync(7_500);
  expect(requester.sent).toMatchObject([{ options: OPTIONS, again: [9_000, 7_000, 3_000] }]);
  requester.sent[0]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
});

test('over the longest deadline it is repeated less often than a fleet lets repeats of one request wait', async () => {
  const requester = new FakeRequester();
  const sent = sendUntilEnded(
    requester,
    new Uint8Array(0),
    { requestId: 'id-1', deadlineMs: 3_600_000 },
    () => true,
    systemClock,
  );
  await vi.advanceTimersByTimeAsync(3_600_000);
  const repeats = requester.sent[0]?.again.length ?? 0;
  expect(repeats).toBeGreaterThan(50);
  expect(repeats).toBeLessThan(100);
  requester.sent[0]?.resolve(REPLY);
  await sent;
});

test('an error of the fleet is the end of it', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  const refused = expect(sent).rejects.toMatchObject({ code: 'REQUEST_OVERLOADED' });
  await vi.advanceTimersByTimeAsync(1_500);
  requester.sent[0]?.reject(new ShoalError('REQUEST_OVERLOADED', 'full'));
  await refused;
  await vi.advanceTimersByTimeAsync(OPTIONS.deadlineMs);
  expect(requester.sent).toMatchObject([{ again: [9_000] }]);
});

test('past its deadline it is not sent again, and the caller is told of the deadline that he gave', async () => {
  const requester = new FakeRequester();
  const sent = send(requester);
  const told = expect(sent).rejects.toMatchObject({
    code: 'REQUEST_DEADLINE',
    message: expect.stringContaining(' 10000 ms'),
  });
  requester.sent[0]?.reject(new ShoalError('REQUEST_NO_RESPONDERS', 'nobody'));
  await vi.advanceTimersByTimeAsync(OPTIONS.deadlineMs + 10_000);
  expect(requester.sent).toMatchObject([
    { again: [] },
    { options: { deadlineMs: 9_800 }, again: [8_800, 6_800, 2_800] },
  ]);
  requester.sent[1]?.reject(noReplyWithin(9_800));
  await told;
});

test('nobody there is an instant failure for who was never served, and is waited out by who was', async () => {
  const nobody = new ShoalError('REQUEST_NO_RESPONDERS', 'nobody');
  const stranger = new FakeRequester();
  const refused = send(stranger, false);
  stranger.sent[0]?.reject(nobody);
  await expect(refused).rejects.toBe(nobody);

  const known = new FakeRequester();
  const sent = send(known);
  known.sent[0]?.reject(nobody);
  await vi.advanceTimersByTimeAsync(200);
  known.sent[1]?.resolve(REPLY);
  expect(await sent).toBe(REPLY);
});

test('nobody there until the deadline is told as that', async () => {
  const nobody = new ShoalError('REQUEST_NO_RESPONDERS', 'nobody');
  const requester: Requester = {
    inFlight: 0,
    request: () => Promise.reject(nobody),
    send: () => ({ reply: Promise.reject(nobody), again: () => undefined }),
    close: () => undefined,
  };
  const sent = send(requester).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await sent).toBe(nobody);
});
