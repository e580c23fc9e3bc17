import { expect, test } from 'vitest';
import { numberIn, requestText, unitsIn } from './request-text.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  [undefined, 1_000],
  [0, 0],
  [300, 7],
  [12.5, 8],
  [12.5, 9],
])('a text with %s units tells them and its number %s', (units, number) => {
  const text = bytesOf(requestText(number, units, 64));
  expect([text.length, unitsIn(text), numberIn(text)]).toEqual([64, units, String(number)]);
});

test('a text has room for its beginning, and an end', () => {
  expect(requestText(5, undefined, 1)).toBe('- 5 ');
  expect(requestText(5, 2, 1e9)).toHaveLength(4_096);
});
