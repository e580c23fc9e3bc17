/** Length of a hash. */
export const SIPHASH_BYTES = 8;
export const SIPHASH_KEY_BYTES = 16;

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), a keyed hash for short inputs; its 64 bits cannot be predicted without the key.
 * Implemented here because a call into Node's crypto costs several times as much as hashing 80 bytes. Each 64-bit word is a pair of 32-bit
 * numbers, because BigInt allocates, and a single loop over local variables keeps them in registers.
 */
export class SipHash {
  readonly #low0: number;
  readonly #high0: number;
  readonly #low1: number;
  readonly #high1: number;

  constructor(key: Uint8Array) {
    if (key.length !== SIPHASH_KEY_BYTES) {
      throw new RangeError(`Expected a key of ${SIPHASH_KEY_BYTES} bytes, got ${key.length}`);
    }
    this.#low0 = int32(key, 0);
    this.#high0 = int32(key, 4);
    this.#low1 = int32(key, 8);
    this.#high1 = int32(key, 12);
  }

  /** Writes the hash of `input[from..to)` to `output` from `outputAt` on. */
  digest(input: Uint8Array, from: number, to: number, output: Uint8Array, outputAt = 0): void {
    // The characters of "somepseudorandomlygeneratedbytes", from the paper.
    let l0 = this.#low0 ^ 0x70736575;
    let h0 = this.#high0 ^ 0x736f6d65;
    let l1 = this.#low1 ^ 0x6e646f6d;
    let h1 = this.#high1 ^ 0x646f7261;
    let l2 = this.#low0 ^ 0x6e657261;
    let h2 = this.#high0 ^ 0x6c796765;
    let l3 = this.#low1 ^ 0x79746573;
    let h3 = this.#high1 ^ 0x74656462;
    const tail = to - ((to - from) & 7);
    // All words, of which the last holds the tail; then the finalisation, which has no word.
    for (let at = from; at <= tail + 8; at += 8) {
      const isFinish = at > tail;
      let low = 0;
      let high = 0;
      if (at < tail) {
        low = int32(input, at);
        high = int32(input, at + 4);
      } else if (isFinish) {
        l2 ^= 0xff;
      } else {
        low = bytesFrom(input, tail, Math.min(to, tail + 4));
        high = bytesFrom(input, tail + 4, to) | ((to - from) << 24);
      }
      l3 ^= low;
      h3 ^= high;
      for (let round = isFinish ? 4 : 2; round > 0; round--) {
        let kept: number;
        l0 = (l0 + l1) | 0; // v0 += v1
        h0 = (h0 + h1 + (l0 >>> 0 < l1 >>> 0 ? 1 : 0)) | 0;
        kept = h1; // v1 = v1 <<< 13 ^ v0
        h1 = ((h1 << 13) | (l1 >>> 19)) ^ h0;
        l1 = ((l1 << 13) | (kept >>> 19)) ^ l0;
        kept = h0; // v0 <<<= 32
        h0 = l0;
        l0 = kept;
        l2 = (l2 + l3) | 0; // v2 += v3
        h2 = (h2 + h3 + (l2 >>> 0 < l3 >>> 0 ? 1 : 0)) | 0;
        kept = h3; // v3 = v3 <<< 16 ^ v2
        h3 = ((h3 << 16) | (l3 >>> 16)) ^ h2;
        l3 = ((l3 << 16) | (kept >>> 16)) ^ l2;
        l0 = (l0 + l3) | 0; // v0 += v3
        h0 = (h0 + h3 + (l0 >>> 0 < l3 >>> 0 ? 1 : 0)) | 0;
        kept = h3; // v3 = v3 <<< 21 ^ v0
        h3 = ((h3 << 21) | (l3 >>> 11)) ^ h0;
        l3 = ((l3 << 21) | (kept >>> 11)) ^ l0;
        l2 = (l2 + l1) | 0; // v2 += v1
        h2 = (h2 + h1 + (l2 >>> 0 < l1 >>> 0 ? 1 : 0)) | 0;
        kept = h1; // v1 = v1 <<< 17 ^ v2
        h1 = ((h1 << 17) | (l1 >>> 15)) ^ h2;
        l1 = ((l1 << 17) | (kept >>> 15)) ^ l2;
        kept = h2; // v2 <<<= 32
        h2 = l2;
        l2 = kept;
      }
      l0 ^= low;
      h0 ^= high;
    }
    putInt32(output, outputAt, l0 ^ l1 ^ l2 ^ l3);
    putInt32(output, outputAt + 4, h0 ^ h1 ^ h2 ^ h3);
  }
}

/** Little endian. */
function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** Like `int32` for at most four bytes; 0 if `to` is not above `from`. */
function bytesFrom(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value |= (bytes[at] ?? 0) << (8 * (at - from));
  return value;
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  for (let place = 0; place < 4; place++) bytes[at + place] = value >>> (8 * place);
}
