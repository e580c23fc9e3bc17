import { expect, test } from 'vitest';
import { randomTexts } from './random-texts.ts';

test.each([0, 1, 2, 13, 1_000, 100_000])('of %i bytes each', (bytes) => {
  const texts = randomTexts(bytes);
  expect(texts.map((text) => Buffer.byteLength(text)).every((length) => length === bytes)).toBe(true);
});

test('differ, and have words and lines', () => {
  const texts = randomTexts(1_000);
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.length).toBeGreaterThan(1);
  expect(texts[0]).toMatch(/^[a-z \n]+$/);
  expect(texts[0].split('\n').length).toBeGreaterThan(5);
});

test('few of them if they are large', () => {
  expect(randomTexts(10_000_000)).toHaveLength(1);
});
