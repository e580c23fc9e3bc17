import { MessageChannel } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ControlCalls } from './control.ts';

/** Calls to a shard that never answers by itself: a test says what a call is answered. */
function setUp() {
  const clock = new ManualClock();
  const { port1, port2 } = new MessageChannel();
  const calls = new ControlCalls(port1, clock);
  onTestFinished(() => {
    calls.close(new Error('over'));
    port2.close();
  });
  return { clock, calls };
}

it('a call leaves no timer behind once it is answered', async () => {
  const { clock, calls } = setUp();
  expect(await calls.call('try', 100, async () => ({ ok: true, value: 'done' }))).toBe('done');
  await expect(calls.call('try', 100, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(clock.pending).toBe(0);
});

it('a call fails at its deadline, and when the shard ends; so does each later one, at once', async () => {
  const { clock, calls } = setUp();
  const never = () => new Promise<never>(() => undefined);
  const late = calls.call('try', 100, never).catch((error: unknown) => error);
  await clock.advance(100);
  expect(await late).toMatchObject({ code: 'SHARD_CALL_TIMEOUT', message: 'the shard did not try within 100 ms' });
  const cut = calls.call('try', 100, never).catch((error: unknown) => error);
  const lost = new Error('lost');
  calls.close(lost);
  calls.close(new Error('a later one'));
  expect(await cut).toBe(lost);
  await expect(calls.call('try', 100, never)).rejects.toBe(lost);
  expect(clock.pending).toBe(0);
});
