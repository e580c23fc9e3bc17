import { expect, it } from 'vitest';
import { KeptOnce } from './kept-once.ts';

it('equal values are kept once', () => {
  const kept = new KeptOnce<object>();
  const first = { name: 'a', list: [1] };
  expect(kept.of(first)).toBe(first);
  expect(kept.of({ name: 'a', list: [1] })).toBe(first);
});

it('another value takes the place of the last', () => {
  const kept = new KeptOnce<object>();
  kept.of({ name: 'a' });
  const other = { name: 'b' };
  expect(kept.of(other)).toBe(other);
  expect(kept.of({ name: 'b' })).toBe(other);
});
