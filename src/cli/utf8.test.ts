import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, textOfInput, validBytes } from './utf8.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, number[], number]>([
  ['a byte that begins nothing', [0x61, 0xff, 0x62], 1],
  ['a byte that only goes on', [0x80], 0],
  ['a character that ends too early', [0x61, 0xe2, 0x82, 0x62], 1],
  ['a character that the end cuts', [0x61, 0x62, 0xf0, 0x9f, 0x90], 2],
  ['half of a surrogate pair', [0xed, 0xa0, 0x80], 0],
  ['a zero in two bytes', [0x61, 0xc0, 0x80], 1],
])('%s is found', (_, bytes, offset) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  expect(validBytes(Uint8Array.from(bytes))).toBe(offset);
});

test('what is in front of a wrong byte is counted, whatever it is; a mark at the beginning stays', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
      const good = bytesOf(`\ufeff${before}`);
      expect(textOfInput(good)).toBe(`\ufeff${before}`);
      expect(validBytes(Buffer.concat([good, Uint8Array.of(0xfe), bytesOf(after)]))).toBe(good.length);
    }),
  );
});

test('a text that is none is refused with the place', () => {
  expect(() => textOfInput(Uint8Array.from([0x61, 0x62, 0x0a]))).not.toThrow();
  expect(() => textOfInput(Uint8Array.from([0x61, 0x62, 0xff]))).toThrow(
    'the byte 0xff at offset 2 begins no character',
  );
});
