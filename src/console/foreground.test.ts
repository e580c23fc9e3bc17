import { expect, test } from 'vitest';
import { foregroundIn } from './foreground.ts';

test.each([
  ['the group that the terminal belongs to', '42 (node) S 1 42 40 34816 42 4194304', true],
  ['another group', '42 (node) S 1 42 40 34816 40 4194304', false],
  ['no controlling terminal', '42 (node) S 1 42 42 0 -1 4194304', true],
  ['a program with an odd name', '42 (a) b) (c) S 1 42 40 34816 40 4194304', false],
])('%s', (_, stat, isForeground) => {
  expect(foregroundIn(stat)).toBe(isForeground);
});
