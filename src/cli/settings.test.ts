import { expect, test } from 'vitest';
import { makeParams } from '../fleet/mod.ts';
import { paramsCommand } from './params.ts';
import { settings } from './settings.ts';

test('names and values are read as they stand, the last of a name counts', () => {
  expect(settings(paramsCommand, ['a=1', 'b=x=y', 'a=', 'a=2'])).toEqual({ a: '2', b: 'x=y' });
});

test.each(['a', '=1', ''])('%j is refused', (text) => {
  expect(() => settings(paramsCommand, [text])).toThrow(/expected NAME=VALUE/);
});

test.each(['__proto__', 'toString', 'constructor'])('%s, which every object has, is an unknown parameter', (name) => {
  expect(() => makeParams(settings(paramsCommand, [`${name}=1`]))).toThrow(`There is no parameter "${name}"`);
});
