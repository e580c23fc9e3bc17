import { expect, test } from 'vitest';
import { Reference } from './reference.ts';
import { wrap } from './wrap.ts';

test('ragged lines are filled, paragraphs and lists stay', () => {
  const text =
    'one two\nthree four five six seven eight nine ten\n\n- first\n  goes on and on and on, longer than a line\n- second';
  expect(wrap(text, 40)).toBe(
    'one two three four five six seven eight\nnine ten\n\n- first goes on and on and on, longer\n  than a line\n- second',
  );
});

test('code is not broken, and a word that is too long has a line of its own', () => {
  expect(wrap(`set it by \`shoal params set free_count=9\` or ${'x'.repeat(50)} so`, 40)).toBe(
    `set it by\n\`shoal params set free_count=9\` or\n${'x'.repeat(50)}\nso`,
  );
});

test.each([60, 80, 120])('every entry of the reference fits into %d columns', (columns) => {
  const lines = Reference.read().entries.flatMap((entry) =>
    entry.kind === 'rule' ? wrap(entry.text, columns).split('\n') : [],
  );
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  expect(lines.length).toBeGreaterThan(50);
});
