import { expect, test } from 'vitest';
import { SipHash } from './siphash.ts';

const key = Uint8Array.from({ length: 16 }, (_, index) => index);

function digest(input: Uint8Array, from = 0, to = input.length): string {
  const output = new Uint8Array(8);
  new SipHash(key).digest(input, from, to, output);
  return Buffer.from(output).toString('hex');
}

/** The test vectors of the paper: key 00 01 .. 0f, input 00 01 .. of the given length. */
test.each([
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
  [63, '724506eb4c328a95'],
])('%i bytes', (length, expected) => {
  expect(digest(Uint8Array.from({ length }, (_, index) => index))).toBe(expected);
});

test('every length, as the definition with words of 64 bits has it', () => {
  for (let length = 0; length <= 80; length++) {
    const input = Uint8Array.from({ length }, (_, index) => (index * 151 + length) & 0xff);
    expect(digest(input)).toBe(defined(input));
  }
});

test('the output may stand before its input, in the same array', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => index - 25);
  new SipHash(key).digest(bytes, 25, 40, bytes, 17);
  expect(Buffer.from(bytes.subarray(17, 25)).toString('hex')).toBe('e545be4961ca29a1');
  expect([...bytes.subarray(25)]).toEqual(Array.from({ length: 15 }, (_, index) => index));
});

test('a part of a larger array', () => {
  const bytes = Uint8Array.from({ length: 30 }, (_, index) => index - 5);
  expect(digest(bytes, 5, 20)).toBe('e545be4961ca29a1');
});

test('a key of another length is refused', () => {
  expect(() => new SipHash(new Uint8Array(8))).toThrow('got 8');
});

/** The definition with 64-bit words: slow and plain. */
function defined(input: Uint8Array): string {
  const mask = (1n << 64n) - 1n;
  const rotate = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (64n - bits))) & mask;
  const [k0, k1] = [Buffer.from(key).readBigUInt64LE(0), Buffer.from(key).readBigUInt64LE(8)];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      v0 = (v0 + v1) & mask;
      v1 = rotate(v1, 13n) ^ v0;
      v0 = rotate(v0, 32n);
      v2 = (v2 + v3) & mask;
      v3 = rotate(v3, 16n) ^ v2;
      v0 = (v0 + v3) & mask;
      v3 = rotate(v3, 21n) ^ v0;
      v2 = (v2 + v1) & mask;
      v1 = rotate(v1, 17n) ^ v2;
      v2 = rotate(v2, 32n);
    }
  };
  const padded = Buffer.alloc(8 * Math.floor(input.length / 8) + 8);
  padded.set(input);
  padded[padded.length - 1] = input.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at);
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  v2 ^= 0xffn;
  rounds(4);
  const output = Buffer.alloc(8);
  output.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3);
  return output.toString('hex');
}
