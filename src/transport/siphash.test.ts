import { expect, test } from 'vitest';
import { SipHash } from './siphash.ts';

const key = Uint8Array.from({ length: 16 }, (_, index) => index);

function digest(input: Uint8Array, from = 0, to = input.length): string {
  const output = new Uint8Array(8);
  new SipHash(key).digest(input, from, to, output);
  return Buffer.from(output).toString('hex');
}

/** The authors' own test vectors: key 00 01 .. 0f, input 00 01 .. of the given length. */
test.each([
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
  [63, '724506eb4c328a95'],
])('%i bytes', (length, expected) => {
  expect(digest(Uint8Array.from({ length }, (_, index) => index))).toBe(expected);
});

test('a part of a larger array', () => {
  const bytes = Uint8Array.from({ length: 30 }, (_, index) => index - 5);
  expect(digest(bytes, 5, 20)).toBe('e545be4961ca29a1');
});

test('a key of another length is refused', () => {
  expect(() => new SipHash(new Uint8Array(8))).toThrow('got 8');
});
