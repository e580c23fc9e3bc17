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

/** Beats, one a second: each with whether the own one came back, and whether there is a connection. */
function deafAfter(...beats: readonly (readonly [isHeard: boolean, isConnected: boolean])[]): number {
  const ears = new Ears(0, BEAT_MS);
  for (const [at, [isHeard, isConnected]] of beats.entries()) {
    if (isHeard) ears.heard();
    ears.check((at + 1) * BEAT_MS, isConnected);
  }
  return ears.deafMs;
}

it('a host is deaf while its own beats do not come back, or it has no connection', () => {
  expect(deafAfter([true, true], [false, true], [false, true])).toBe(2_000);
  expect(deafAfter([true, true], [true, false])).toBe(1_000);
  expect(deafAfter([true, true], [false, true], [true, true])).toBe(0);
});

it('a host whose port gives no own beats back is not deaf', () => {
  expect(deafAfter([false, true], [false, true])).toBe(0);
});
