import { LinkedList, type ListNode } from './linked-list.ts';
import type { Pending } from './pending.ts';
import type { Outcome, Request } from './request.ts';

/** What is known of a request id. */
export type Known =
  | { readonly kind: 'open'; readonly pending: Pending }
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  /** The id stands for another request: whoever chose it must not get that one's reply. */
  | { readonly kind: 'other' };

interface Ended {
  readonly requestId: string;
  readonly op: string;
  readonly payloadBytes: number;
  readonly outcome: Outcome;
  readonly untilMs: number;
  readonly bytes: number;
}

export interface MemoryLimits {
  readonly repliesMax: number;
  readonly bytesMax: number;
}

const LIMITS: MemoryLimits = { repliesMax: 100_000, bytesMax: 64 * 1024 * 1024 };
/** What a stored reply costs beside its payload, roughly. */
const OVERHEAD_BYTES = 200;

/**
 * R11: request ids, for `dedup_ms` after the end and within bounds of number and memory; beyond these the oldest reply is forgotten first, and
 * a repeat of it is a new request.
 */
export class ReplyMemory {
  readonly #limits: MemoryLimits;
  readonly #open = new Map<string, Pending>();
  readonly #ended = new Map<string, ListNode<Ended>>();
  /** In the order in which they ended. A Map knows that too, but finding its first entry gets slow when many before it were deleted. */
  readonly #order = new LinkedList<Ended>();
  #bytes = 0;

  constructor(limits: MemoryLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Replies that are stored. */
  get size(): number {
    return this.#ended.size;
  }

  /** Of what is stored. */
  get bytes(): number {
    return this.#bytes;
  }

  find(request: Request, nowMs: number): Known | undefined {
    const { requestId, op, payload } = request;
    const pending = this.#open.get(requestId);
    if (pending !== undefined) {
      const first = pending.request;
      const isSame = first.op === op && first.payload.length === payload.length;
      return isSame ? { kind: 'open', pending } : { kind: 'other' };
    }
    const ended = this.#ended.get(requestId)?.item;
    if (ended === undefined || ended.untilMs <= nowMs) return undefined;
    const isSame = ended.op === op && ended.payloadBytes === payload.length;
    return isSame ? { kind: 'ended', outcome: ended.outcome } : { kind: 'other' };
  }

  /** The open request of that id. */
  pending(requestId: string): Pending | undefined {
    return this.#open.get(requestId);
  }

  hasEnded(requestId: string): boolean {
    return this.#ended.has(requestId);
  }

  opened(pending: Pending): void {
    if (pending.request.isIdGenerated !== true) this.#open.set(pending.request.requestId, pending);
  }

  /** Nobody waits for it any more; a repeat is a new request. */
  closed(pending: Pending): void {
    const { requestId } = pending.request;
    if (this.#open.get(requestId) === pending) this.#open.delete(requestId);
  }

  /** A repeat until then gets the same outcome, if it is one that a repeat would not better. */
  ended(request: Request, outcome: Outcome, nowMs: number, dedupMs: number): void {
    if (request.isIdGenerated === true || dedupMs <= 0 || !isFinal(outcome)) return;
    const bytes = OVERHEAD_BYTES + request.requestId.length + (outcome.ok ? outcome.payload.length : 0);
    if (bytes > this.#limits.bytesMax) return;
    this.#forget(request.requestId);
    const kept = outcome.ok ? { ...outcome, payload: ownBytes(outcome.payload) } : outcome;
    const { op, payload } = request;
    const { requestId } = request;
    const untilMs = nowMs + dedupMs;
    const ended: Ended = { requestId, op, payloadBytes: payload.length, outcome: kept, untilMs, bytes };
    this.#ended.set(requestId, this.#order.push(ended));
    this.#bytes += bytes;
    const { repliesMax, bytesMax } = this.#limits;
    while (this.#order.length > repliesMax || this.#bytes > bytesMax) this.#forget(this.#order.first?.requestId);
  }

  /** Forgets what is past its time. */
  expire(nowMs: number): void {
    for (let first = this.#order.first; first !== undefined && first.untilMs <= nowMs; first = this.#order.first) {
      this.#forget(first.requestId);
    }
  }

  #forget(requestId: string | undefined): void {
    const node = requestId === undefined ? undefined : this.#ended.get(requestId);
    if (node === undefined) return;
    this.#ended.delete(node.item.requestId);
    this.#order.remove(node);
    this.#bytes -= node.item.bytes;
  }
}

/** An overload, a deadline or a client's own change of mind are of the moment: to send it again is right. */
function isFinal(outcome: Outcome): boolean {
  return outcome.ok || ![499, 503, 504].includes(outcome.status);
}

/** A payload is a window on what the link has read: storing it as it is would keep all of that. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.buffer.byteLength === payload.length ? payload : payload.slice();
}
