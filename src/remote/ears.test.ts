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

it('a host that has told that it is deaf learns once that it hears again', () => {
  const ears = new Ears(0, BEAT_MS);
  ears.heard();
  for (const nowMs of [1_000, 2_000, 3_000]) ears.check(nowMs, true);
  expect([ears.heard(), ears.heard()]).toEqual([true, false]);
});

it('a host whose port gives no own beats back hears again as soon as it is connected', () => {
  expect(deafAfter([false, true], [false, false], [false, false], [false, true])).toBe(0);
});

it('after a time of deafness others may need as long to be back, two seconds at most, before their silence counts', () => {
  const ears = new Ears(0, BEAT_MS);
  const counted = (deafBeats: number): number[] => {
    const startMs = 100_000 * (deafBeats + 1);
    ears.heard();
    ears.check(startMs, true);
    for (let beat = 1; beat <= deafBeats; beat++) ears.check(startMs + beat * BEAT_MS, true);
    return [1, 2, 3].map((beat) => {
      ears.heard();
      return ears.check(startMs + (deafBeats + beat) * BEAT_MS, true);
    });
  };
  expect([counted(0), counted(1), counted(10)]).toEqual([
    [1_000, 1_000, 1_000],
    [0, 1_000, 1_000],
    [0, 0, 1_000],
  ]);
});
