import { hash } from 'node:crypto';
import { LinkedList, type ListNode } from '../../actors/mod.ts';
import type { Outcome, Request } from '../values/request.ts';
import type { OpenRequest } from './open-request.ts';

/** What is known of a request id. */
export type Known =
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  /** The id stands for another request, whose reply the client must not get. */
  | { readonly kind: 'other' };

/**
 * What a host knows of a request id. `asking`: it has it as a repeat, and asks others, or waits for one that did. `here`: it has
 * the request. `elsewhere`: it took the request in and handed it on.
 */
export type Knowledge = 'nothing' | 'asking' | 'ended' | 'here' | 'elsewhere';

/** A repeat, with what tells its payload from another. */
export interface Repeat {
  readonly requestId: string;
  readonly op: string;
  readonly payloadBytes: number;
  readonly fingerprint: string;
}

interface Ended {
  readonly requestId: string;
  readonly op: string;
  readonly fingerprint: string;
  readonly payloadBytes: number;
  readonly outcome: Outcome;
  readonly untilMs: number;
  readonly bytes: number;
}

export interface CacheLimits {
  readonly repliesMax: number;
  readonly bytesMax: number;
}

const LIMITS: CacheLimits = { repliesMax: 100_000, bytesMax: 64 * 1024 * 1024 };
/** What guests may still send replies for: each keeps 64 of them, for 30 s. */
const ORPHANS_MAX = 10_000;
/** The memory that a stored reply takes beside payloads, roughly. */
const OVERHEAD_BYTES = 200;
/** A payload up to this size is its own fingerprint: copying it costs less than hashing it. */
const COPIED_BYTES_MAX = 64;

/**
 * R11: request ids, open ones and those that ended within `dedup_ms`, within bounds of number and memory. Beyond these the oldest
 * reply is forgotten first, and a repeat of it is a new request.
 */
export class ReplyCache {
  readonly #limits: CacheLimits;
  readonly #open = new Map<string, OpenRequest>();
  readonly #ended = new Map<string, ListNode<Ended>>();
  /** In the order in which they ended. A Map has it too, but finding its first entry gets slow once many before it were deleted. */
  readonly #order = new LinkedList<Ended>();
  readonly #orphans = new Map<string, Pick<Ended, 'op' | 'fingerprint' | 'payloadBytes'>>();
  #bytes = 0;

  constructor(limits: CacheLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Replies that are stored. */
  get size(): number {
    return this.#ended.size;
  }

  /** Memory that the stored replies take. */
  get bytes(): number {
    return this.#bytes;
  }

  find(request: Request, nowMs: number): Known | undefined {
    const { requestId, op, payload, contentType } = request;
    const open = this.#open.get(requestId);
    if (open !== undefined) {
      const first = open.request;
      const isSame = first.op === op && first.contentType === contentType && isEqual(first.payload, payload);
      return isSame ? { kind: 'open', request: open } : { kind: 'other' };
    }
    const ended = this.#stored(requestId, nowMs);
    if (ended === undefined) return undefined;
    const isSame =
      ended.op === op &&
      ended.payloadBytes === payload.length &&
      ended.fingerprint === fingerprintOf(payload, contentType);
    return isSame ? { kind: 'ended', outcome: ended.outcome } : { kind: 'other' };
  }

  /** The open request of that id. */
  open(requestId: string): OpenRequest | undefined {
    return this.#open.get(requestId);
  }

  /** How the request of that id ended, if that is stored. */
  outcomeOf(requestId: string, nowMs: number): Outcome | undefined {
    return this.#stored(requestId, nowMs)?.outcome;
  }

  /** Whether a repeat that came to another host belongs here. */
  knows({ requestId, op, payloadBytes, fingerprint }: Repeat, nowMs: number): Knowledge {
    const open = this.#open.get(requestId);
    if (open !== undefined) {
      const { request, neighbour, place, hops } = open;
      const isSame =
        request.op === op &&
        request.payload.length === payloadBytes &&
        fingerprintOf(request.payload, request.contentType) === fingerprint;
      if (!isSame || place === undefined) return 'nothing';
      if (hops?.isAsking === true || hops?.isJoined === true) return 'asking';
      return neighbour === undefined ? 'here' : 'elsewhere';
    }
    const ended = this.#stored(requestId, nowMs);
    const isSame = ended?.op === op && ended.payloadBytes === payloadBytes && ended.fingerprint === fingerprint;
    return isSame && ended.outcome.isSent !== true ? 'ended' : 'nothing';
  }

  hasEnded(requestId: string): boolean {
    return this.#ended.has(requestId);
  }

  opened(request: OpenRequest): void {
    if (request.request.isIdGenerated !== true) this.#open.set(request.request.requestId, request);
  }

  /** Nobody waits for it any more; a repeat is a new request. */
  closed(request: OpenRequest): void {
    const { requestId } = request.request;
    if (this.#open.get(requestId) === request) this.#open.delete(requestId);
  }

  /** A repeat until then gets the same outcome, if it is one that a repeat would not better. */
  ended(request: Request, outcome: Outcome, nowMs: number, dedupMs: number): void {
    if (request.isIdGenerated === true || dedupMs <= 0 || !isFinal(outcome)) return;
    const { requestId, op, payload, contentType } = request;
    const payloadBytes = payload.length;
    const fingerprintBytes = Math.min(payloadBytes, COPIED_BYTES_MAX);
    const typeBytes = (contentType?.length ?? 0) + (outcome.ok ? (outcome.contentType?.length ?? 0) : 0);
    const ownedBytes = requestId.length + fingerprintBytes + typeBytes;
    const bytes = OVERHEAD_BYTES + ownedBytes + (outcome.ok ? outcome.payload.length : 0);
    if (bytes > this.#limits.bytesMax) return;
    this.#forget(requestId);
    const stored = outcome.ok ? { ...outcome, payload: ownBytes(outcome.payload) } : outcome;
    const fingerprint = fingerprintOf(payload, contentType);
    const ended: Ended = {
      requestId,
      op,
      fingerprint,
      payloadBytes,
      outcome: stored,
      untilMs: nowMs + dedupMs,
      bytes,
    };
    this.#ended.set(requestId, this.#order.push(ended));
    this.#bytes += bytes;
    const { repliesMax, bytesMax } = this.#limits;
    while (this.#order.length > repliesMax || this.#bytes > bytesMax) this.#forget(this.#order.first?.requestId);
  }

  /** It has ended, and its guest may still send a reply for it. */
  orphaned({ requestId, op, payload, contentType }: Request): void {
    this.#orphans.delete(requestId);
    const fingerprint = fingerprintOf(payload, contentType);
    this.#orphans.set(requestId, { op, fingerprint, payloadBytes: payload.length });
    for (const oldest of this.#orphans.keys()) {
      if (this.#orphans.size <= ORPHANS_MAX) return;
      this.#orphans.delete(oldest);
    }
  }

  /** Whose is a reply that a guest kept under that id? `unknown`: a request of an earlier router may have had it. */
  orphanOf({ requestId, op, payload, contentType }: Request): 'same' | 'other' | 'unknown' {
    const orphan = this.#orphans.get(requestId);
    if (orphan === undefined) return 'unknown';
    const { fingerprint, payloadBytes } = orphan;
    const isSame =
      orphan.op === op && payloadBytes === payload.length && fingerprint === fingerprintOf(payload, contentType);
    return isSame ? 'same' : 'other';
  }

  /** Forgets replies that are past their time. */
  expire(nowMs: number): void {
    for (let first = this.#order.first; first !== undefined && first.untilMs <= nowMs; first = this.#order.first) {
      this.#forget(first.requestId);
    }
  }

  /** What is stored of the end of that request. */
  #stored(requestId: string, nowMs: number): Ended | undefined {
    const ended = this.#ended.get(requestId)?.item;
    return ended === undefined || ended.untilMs <= nowMs ? undefined : ended;
  }

  #forget(requestId: string | undefined): void {
    const node = requestId === undefined ? undefined : this.#ended.get(requestId);
    if (node === undefined) return;
    this.#ended.delete(node.item.requestId);
    this.#order.remove(node);
    this.#bytes -= node.item.bytes;
  }
}

/** An overload, a deadline or a client's own change of mind are of the moment: to send the request again is right. */
function isFinal(outcome: Outcome): boolean {
  return outcome.ok || ![499, 503, 504].includes(outcome.status);
}

/** A payload is a window on the bytes that the link has read: storing it as it is would keep all of them. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.buffer.byteLength === payload.length ? payload : payload.slice();
}

/**
 * Tells payloads of one length apart: the bytes of a short one, the SHA-256 of a long one. As text, which takes a third of the
 * memory of an array and of the garbage collector's time. The content type stands behind it: no text has one.
 */
export function fingerprintOf(payload: Uint8Array, contentType?: string): string {
  const ofBytes =
    payload.length > COPIED_BYTES_MAX
      ? hash('sha256', payload, 'binary')
      : Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1');
  return contentType === undefined ? ofBytes : `${ofBytes}\0${contentType}`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
