import { expect, it } from 'vitest';
import { restartDelayMs } from './restart-delay.ts';

it('a shard that is lost once is back at once, one that is lost again and again ever later, up to half a minute', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map(restartDelayMs)).toEqual([0, 0, 250, 500, 1_000, 2_000, 30_000]);
});
