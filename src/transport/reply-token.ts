import { hash, timingSafeEqual } from 'node:crypto';
import { ShoalError } from '../errors.ts';

/** The guest contract's limit for a token. */
export const TOKEN_BYTES_MAX = 256;
export const TOKEN_KEY_BYTES = 32;

const HASH_BYTES = 16;
const HEAD_BYTES = TOKEN_KEY_BYTES + 1;

/** Where a late reply goes to. */
export interface ReplyAddress {
  readonly subject: string;
  readonly requestId: string;
}

/**
 * Makes and checks the tokens that guests echo, so that a reply which outlived the Shoal that asked for it still finds its client.
 * A token is `hash (16), length of the reply subject (1), reply subject, request id`.
 *
 * The keyed hash is BLAKE2s over key and text: unlike SHA-256, BLAKE2 may be keyed by a prefix, and in one call to Node's
 * crypto it takes 1.6 us a request where an HMAC takes 23.
 */
export class ReplyTokens {
  readonly #scratch: Buffer;

  /** @param key 32 bytes that outlive a restart: who adopts the VMs must check what its predecessor signed */
  constructor(key: Uint8Array) {
    if (key.length !== TOKEN_KEY_BYTES) {
      throw new ShoalError('INTERNAL', `Expected a key of ${TOKEN_KEY_BYTES} bytes, got ${key.length}`);
    }
    this.#scratch = Buffer.alloc(TOKEN_KEY_BYTES + TOKEN_BYTES_MAX);
    this.#scratch.set(key);
  }

  /** @returns an empty token if the two are too long for one: a late reply then has nowhere to go */
  seal(subject: string, requestId: string): Uint8Array {
    const scratch = this.#scratch;
    const subjectBytes = Buffer.byteLength(subject);
    const bytes = 1 + subjectBytes + requestId.length;
    if (subjectBytes === 0 || subjectBytes > 255 || HASH_BYTES + bytes > TOKEN_BYTES_MAX) return EMPTY;
    scratch[TOKEN_KEY_BYTES] = subjectBytes;
    scratch.write(subject, HEAD_BYTES, 'utf8');
    scratch.write(requestId, HEAD_BYTES + subjectBytes, 'latin1');
    const end = TOKEN_KEY_BYTES + bytes;
    const token = new Uint8Array(HASH_BYTES + bytes);
    token.set(this.#hash(end));
    token.set(scratch.subarray(TOKEN_KEY_BYTES, end), HASH_BYTES);
    return token;
  }

  /** @returns undefined for a token that we did not make: a guest can forge nothing */
  open(token: Uint8Array): ReplyAddress | undefined {
    if (token.length <= HASH_BYTES + 1 || token.length > TOKEN_BYTES_MAX) return undefined;
    const scratch = this.#scratch;
    scratch.set(token.subarray(HASH_BYTES), TOKEN_KEY_BYTES);
    const end = TOKEN_KEY_BYTES + token.length - HASH_BYTES;
    if (!timingSafeEqual(this.#hash(end), token.subarray(0, HASH_BYTES))) return undefined;
    const subjectEnd = HEAD_BYTES + (scratch[TOKEN_KEY_BYTES] ?? 0);
    return {
      subject: scratch.toString('utf8', HEAD_BYTES, subjectEnd),
      requestId: scratch.toString('latin1', subjectEnd, end),
    };
  }

  #hash(end: number): Uint8Array {
    return hash('blake2s256', this.#scratch.subarray(0, end), 'buffer').subarray(0, HASH_BYTES);
  }
}

const EMPTY = new Uint8Array(0);
