import { createHash, timingSafeEqual } from 'node:crypto';
import { ShoalError } from '../errors.ts';
import type { Request } from '../fleet/mod.ts';
import { SIPHASH_BYTES, SIPHASH_KEY_BYTES, SipHash } from './siphash.ts';

/** Limit of the guest contract. */
export const TOKEN_BYTES_MAX = 256;
export const TOKEN_KEY_BYTES = SIPHASH_KEY_BYTES;

const HEAD_BYTES = SIPHASH_BYTES + 1;
const SUBJECT_BYTES_MAX = 255;
/** Tokens are cut from slabs: an allocation for each would cost several times as much as making the token. */
const SLAB_BYTES = 8 * 1024;
/** More than a token needs, so that text cut off at the end of a slab was too long for a token anyway. */
const ROOM_BYTES = 2 * TOKEN_BYTES_MAX;

/** Where an orphaned reply goes. */
export interface ReplyAddress {
  readonly subject: string;
  readonly requestId: string;
}

/** What a token is made of, besides where the reply goes. */
export type Sealed = Pick<Request, 'requestId' | 'isIdGenerated' | 'op' | 'payload' | 'contentType'>;

/** Of a SHA-256 in base64: 128 bits. */
const FINGERPRINT_CHARS = 22;

/**
 * Makes and checks the tokens that guests echo. With its token, a reply whose request an earlier Shoal dispatched still reaches its client.
 * A token is `hash (8 bytes), length of the reply subject (1 byte), reply subject, request id`. Without the key a guest cannot make Shoal
 * publish to any other subject.
 */
export class ReplyTokens {
  readonly #sipHash: SipHash;
  readonly #hash = new Uint8Array(SIPHASH_BYTES);
  #slab = Buffer.alloc(0);
  /** The same memory as `#slab`: `subarray` is faster on a plain array than on a Buffer. */
  #slabBytes = new Uint8Array(0);
  #slabUsed = 0;

  /** @param key 16 bytes that survive a restart: a Shoal that adopts VMs must accept the tokens of its predecessor */
  constructor(key: Uint8Array) {
    if (key.length !== TOKEN_KEY_BYTES) {
      throw new ShoalError('INTERNAL', `Expected a token key of ${TOKEN_KEY_BYTES} bytes, got ${key.length}`);
    }
    this.#sipHash = new SipHash(key);
  }

  /** @returns an empty token if both are too long for one; an orphaned reply is then lost */
  seal(subject: string, requestId: string): Uint8Array {
    if (this.#slab.length - this.#slabUsed < ROOM_BYTES) this.#newSlab();
    const slab = this.#slab;
    const start = this.#slabUsed;
    const subjectAt = start + HEAD_BYTES;
    const subjectBytes = slab.write(subject, subjectAt, 'utf8');
    const end = subjectAt + subjectBytes + requestId.length;
    if (subjectBytes === 0 || subjectBytes > SUBJECT_BYTES_MAX || end - start > TOKEN_BYTES_MAX) return EMPTY;
    slab[start + SIPHASH_BYTES] = subjectBytes;
    slab.write(requestId, subjectAt + subjectBytes, 'latin1');
    this.#sipHash.digest(this.#slabBytes, start + SIPHASH_BYTES, end, this.#slabBytes, start);
    this.#slabUsed = end;
    return this.#slabBytes.subarray(start, end);
  }

  /**
   * A token for a place that all clients share, so that no client is told there. A guest takes requests with the same token for the same one: if two
   * clients chose one id for different texts, their tokens differ.
   */
  sealAt(place: string, { requestId, isIdGenerated, op, payload, contentType = '' }: Sealed): Uint8Array {
    if (isIdGenerated === true) return this.seal(place, requestId);
    const hash = createHash('sha256').update(`${op}\0${contentType}\0`).update(payload).digest('base64url');
    return this.seal(`${place}.${hash.slice(0, FINGERPRINT_CHARS)}`, requestId);
  }

  /** @returns undefined if the hash is wrong */
  open(token: Uint8Array): ReplyAddress | undefined {
    if (token.length <= HEAD_BYTES || token.length > TOKEN_BYTES_MAX) return undefined;
    this.#sipHash.digest(token, SIPHASH_BYTES, token.length, this.#hash);
    if (!timingSafeEqual(this.#hash, token.subarray(0, SIPHASH_BYTES))) return undefined;
    const subjectEnd = HEAD_BYTES + (token[SIPHASH_BYTES] ?? 0);
    const bytes = Buffer.from(token.buffer, token.byteOffset, token.length);
    return {
      subject: bytes.toString('utf8', HEAD_BYTES, subjectEnd),
      requestId: bytes.toString('latin1', subjectEnd),
    };
  }

  #newSlab(): void {
    this.#slabBytes = new Uint8Array(SLAB_BYTES);
    this.#slab = Buffer.from(this.#slabBytes.buffer);
    this.#slabUsed = 0;
  }
}

const EMPTY = new Uint8Array(0);
