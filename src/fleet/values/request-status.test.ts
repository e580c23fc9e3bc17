import { expect, test } from 'vitest';
import { statusOfGuest } from './request-status.ts';

test.each([
  [0, 502],
  [200, 502],
  [399, 502],
  [400, 400],
  [418, 418],
  [499, 499],
  [500, 502],
  [501, 501],
  [502, 502],
  [503, 503],
  [504, 504],
  [505, 502],
  [65_535, 502],
])('a guest that says %i: the client is told %i', (code, told) => {
  expect(statusOfGuest(code)).toBe(told);
});
