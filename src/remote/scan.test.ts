import { expect, it } from 'vitest';
import { isWhole } from './scan.ts';

const DEPTH_MAX = 3;

it.each<[string, readonly number[], boolean]>([
  ['a number', [0x07], true],
  ['nothing', [], false],
  ['a number and more', [0x07, 0x07], false],
  ['a list', [0x92, 0x01, 0x02], true],
  ['a list that is cut off', [0x92, 0x01], false],
  ['a map', [0x81, 0x01, 0x02], true],
  ['a map without a value', [0x81, 0x01], false],
  ['a map with a length of two bytes', [0xde, 0x00, 0x01, 0x01, 0x02], true],
  ['a map with a length of four bytes that has no value', [0xdf, 0x00, 0x00, 0x00, 0x01, 0x01], false],
  ['a list with a length of four bytes and no items', [0xdd, 0xff, 0xff, 0xff, 0xff], false],
  ['a text', [0xa2, 0x61, 0x62], true],
  ['a text that is cut off', [0xa2, 0x61], false],
  ['a text whose length is cut off', [0xda, 0x00], false],
  ['a type that is not used', [0xc1], false],
  ['lists as deep as the limit', [0x91, 0x91, 0x91, 0x01], true],
  ['lists that are deeper', [0x91, 0x91, 0x91, 0x91, 0x01], false],
])('%s: whether that is one whole value', (_, bytes, isOne) => {
  expect(isWhole(Uint8Array.from(bytes), DEPTH_MAX)).toBe(isOne);
});
