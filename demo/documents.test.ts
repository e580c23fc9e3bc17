import { expect, test } from 'vitest';
import { countsOf, documents, isRight } from './documents.ts';

test.each([
  ['', { lines: 0, words: 0, bytes: 0 }],
  ['one', { lines: 1, words: 1, bytes: 3 }],
  ['one\n', { lines: 1, words: 1, bytes: 4 }],
  ['one  two\n\n\tthree\u00e9', { lines: 3, words: 3, bytes: 18 }],
])('%j', (text, counts) => {
  expect(countsOf(text)).toEqual(counts);
});

test('an answer is right if it says the same, and wrong if a figure is another', () => {
  const counts = countsOf('one two');
  expect(isRight('{"lines":1,"words":2,"bytes":7}', counts)).toBe(true);
  expect(isRight('{"lines":1,"words":3,"bytes":7}', counts)).toBe(false);
  expect(isRight('', counts)).toBe(false);
});

test('the documents of this repository are real text', () => {
  expect(documents().length).toBeGreaterThan(5);
  expect(Math.max(...documents().map(({ expected }) => expected.words))).toBeGreaterThan(1_000);
});
