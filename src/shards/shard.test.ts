import { expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import type { ExitReason } from '../actors/mod.ts';
import { LIFE_MS_MIN } from './restart-delay.ts';
import { Shard } from './shard.ts';
import type { ShardThread } from './shard-thread.ts';

const LOST: ExitReason = {
  kind: 'error',
  error: { name: 'ShoalError', code: 'SHARD_LOST', message: 'lost', details: {} },
};

/** A shard whose threads are up at once, and live until the test ends them. */
function setUp() {
  const clock = new ManualClock();
  const ends: ((reason: ExitReason) => void)[] = [];
  const terminated: string[] = [];
  const shard = new Shard({
    index: 0,
    clock,
    start: ({ onEnded }) => {
      ends.push(onEnded);
      return {
        isUp: false,
        terminate: (why: string) => void terminated.push(why),
        ended: Promise.resolve(),
        // All that a shard uses of its thread.
      } as unknown as ShardThread;
    },
    onUp: () => undefined,
    onLost: () => undefined,
  });
  const lose = (): void => ends.at(-1)?.(LOST);
  return { clock, shard, terminated, starts: () => ends.length, lose };
}

it('a thread that has lived long is replaced at once, whatever became of those before it', async () => {
  const { clock, starts, lose } = setUp();
  lose();
  expect(starts()).toBe(2);
  lose();
  expect(starts()).toBe(2);
  await clock.advance(250);
  expect(starts()).toBe(3);
  await clock.advance(LIFE_MS_MIN);
  lose();
  expect(starts()).toBe(4);
  lose();
  expect(starts()).toBe(5);
});

it('no thread is started after the stop, and one that is not up is ended', async () => {
  const { clock, shard, starts, lose, terminated } = setUp();
  lose();
  lose();
  await shard.stop(100);
  await clock.advance(1_000);
  expect([starts(), clock.pending]).toEqual([2, 0]);
  const other = setUp();
  await other.shard.stop(100);
  expect(other.terminated).toHaveLength(1);
  expect(terminated).toEqual([]);
});
