import { expect, test } from 'vitest';
import { Arguments } from './arguments.ts';

const named = new Arguments({ n: 5, flag: true, text: 'x', values: { a: 1, b: '2' } });

test('arguments are read by name and kind, a limit included', () => {
  expect(named.whole('n', { min: 5, max: 5 })).toBe(5);
  expect([named.flag('flag'), named.flag('none'), named.text('text')]).toEqual([true, false, 'x']);
  expect(named.values('values')).toEqual({ a: 1, b: '2' });
});

test.each([
  ['below the limit', () => named.whole('n', { min: 6, max: 9 })],
  ['above the limit', () => named.whole('n', { min: 1, max: 4 })],
  ['of another kind', () => named.whole('text', { min: 1, max: 4 })],
  ['no flag', () => named.flag('n')],
  ['no text', () => named.text('n')],
  ['a text that is too long', () => new Arguments({ text: 'x'.repeat(1_001) }).text('text')],
  ['no values', () => named.values('n')],
  ['a list in place of values', () => new Arguments({ values: [1] }).values('values')],
  ['no figure', () => new Arguments({ values: { a: null } }).values('values')],
  ['no arguments at all', () => new Arguments(null).vm()],
])('%s is refused', (_name, read) => {
  expect(read).toThrow(expect.objectContaining({ code: 'NATS_MESSAGE_INVALID' }));
});
