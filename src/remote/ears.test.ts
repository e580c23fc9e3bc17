import { expect, it } from 'vitest';
import { Ears } from './ears.ts';

const BEAT_MS = 1_000;

it('a process that stood still was silent for the whole of the time, not for what went beyond a late beat', () => {
  const ears = new Ears(0, BEAT_MS);
  const paused = [1_000, 2_900, 7_300, 8_300].map((nowMs) => {
    ears.check(nowMs, true);
    return ears.pausedMs;
  });
  expect(paused).toEqual([0, 0, 4_400, 0]);
});
