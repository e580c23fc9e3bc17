/** Bytes of a hash. */
export const SIPHASH_BYTES = 8;
export const SIPHASH_KEY_BYTES = 16;

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), a keyed hash made for short inputs: 64 bits that nobody foretells without the key.
 * Written here because a call into Node's crypto costs several times what hashing 80 bytes does. A word of 64 bits is two of 32,
 * since JavaScript's own 64-bit integers allocate.
 */
export class SipHash {
  readonly #key: readonly [Word, Word];
  readonly #v0 = new Word();
  readonly #v1 = new Word();
  readonly #v2 = new Word();
  readonly #v3 = new Word();

  constructor(key: Uint8Array) {
    if (key.length !== SIPHASH_KEY_BYTES) {
      throw new RangeError(`Expected a key of ${SIPHASH_KEY_BYTES} bytes, got ${key.length}`);
    }
    this.#key = [new Word().read(key, 0), new Word().read(key, 8)];
  }

  /** Writes the hash of `input[from..to)` to `output`. */
  digest(input: Uint8Array, from: number, to: number, output: Uint8Array): void {
    const [k0, k1] = this.#key;
    // The characters of "somepseudorandomlygeneratedbytes", as the authors have it.
    this.#v0.set(k0.high ^ 0x736f6d65, k0.low ^ 0x70736575);
    this.#v1.set(k1.high ^ 0x646f7261, k1.low ^ 0x6e646f6d);
    this.#v2.set(k0.high ^ 0x6c796765, k0.low ^ 0x6e657261);
    this.#v3.set(k1.high ^ 0x74656462, k1.low ^ 0x79746573);
    const tail = to - ((to - from) & 7);
    for (let at = from; at < tail; at += 8) this.#absorb(int32(input, at + 4), int32(input, at));
    this.#absorbTail(input, tail, to, to - from);
    this.#v2.low ^= 0xff;
    for (let round = 0; round < 4; round++) this.#round();
    putInt32(output, 0, this.#v0.low ^ this.#v1.low ^ this.#v2.low ^ this.#v3.low);
    putInt32(output, 4, this.#v0.high ^ this.#v1.high ^ this.#v2.high ^ this.#v3.high);
  }

  /** The bytes that fill no word, and the length in the highest byte. */
  #absorbTail(input: Uint8Array, from: number, to: number, length: number): void {
    let high = length << 24;
    let low = 0;
    for (let at = from; at < to; at++) {
      const byte = input[at] ?? 0;
      const place = at - from;
      if (place < 4) low |= byte << (8 * place);
      else high |= byte << (8 * (place - 4));
    }
    this.#absorb(high, low);
  }

  #absorb(high: number, low: number): void {
    this.#v3.high ^= high;
    this.#v3.low ^= low;
    this.#round();
    this.#round();
    this.#v0.high ^= high;
    this.#v0.low ^= low;
  }

  #round(): void {
    const v0 = this.#v0;
    const v1 = this.#v1;
    const v2 = this.#v2;
    const v3 = this.#v3;
    v0.add(v1);
    v1.rotate(13);
    v1.xor(v0);
    v0.swap();
    v2.add(v3);
    v3.rotate(16);
    v3.xor(v2);
    v0.add(v3);
    v3.rotate(21);
    v3.xor(v0);
    v2.add(v1);
    v1.rotate(17);
    v1.xor(v2);
    v2.swap();
  }
}

/** An unsigned number of 64 bits in two signed halves. */
class Word {
  high = 0;
  low = 0;

  read(bytes: Uint8Array, at: number): Word {
    this.set(int32(bytes, at + 4), int32(bytes, at));
    return this;
  }

  set(high: number, low: number): void {
    this.high = high | 0;
    this.low = low | 0;
  }

  add(other: Word): void {
    const low = (this.low >>> 0) + (other.low >>> 0);
    this.high = (this.high + other.high + (low > 0xffffffff ? 1 : 0)) | 0;
    this.low = low | 0;
  }

  xor(other: Word): void {
    this.high ^= other.high;
    this.low ^= other.low;
  }

  /** To the left, by less than 32. */
  rotate(bits: number): void {
    const { high, low } = this;
    this.high = (high << bits) | (low >>> (32 - bits));
    this.low = (low << bits) | (high >>> (32 - bits));
  }

  /** A rotation by 32. */
  swap(): void {
    const { high } = this;
    this.high = this.low;
    this.low = high;
  }
}

/** Little endian. */
function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  for (let place = 0; place < 4; place++) bytes[at + place] = value >>> (8 * place);
}
