import type { Ref } from '../../actors/mod.ts';
import type { HostFigures } from '../values/neighbour.ts';
import { LEASE_MS } from '../values/neighbour.ts';
import type { Outcome } from '../values/request.ts';
import type { Beat, HandedEnd, NeighbourMessage } from './neighbour-messages.ts';

/** Ends that a neighbour has not confirmed: beyond these the oldest is forgotten, and its request ends as with a lost host. */
const ENDS_MAX = 10_000;
/** Texts that are kept for the case that they have to be taken back: beyond these, replies go by way of home, where the link limits them. */
const SENT_BYTES_MAX = 16 * 1024 * 1024;

/** A reply that was published from here. */
interface Sent {
  /** The port's. */
  readonly number: number;
  readonly outcome: Outcome;
}

interface Kept {
  readonly end: HandedEnd;
  readonly sent: Sent | undefined;
}

/** What this router has with one router of another host, for as long as both live: it outlasts a link between them. */
export class NeighbourSession<Handed> {
  readonly host: string;
  readonly session: string;
  /** Undefined while there is no link. */
  ref: Ref<NeighbourMessage> | undefined;
  /** Its last stamp, by its clock, and when that was heard, by the clock here. */
  stampMs: number | null = null;
  stampHeardMs = Number.NEGATIVE_INFINITY;
  /** Until then this host may answer the clients of that one. */
  leaseUntilMs = Number.NEGATIVE_INFINITY;
  /** When this host last asked for more of it. */
  askedMs = Number.NEGATIVE_INFINITY;
  seen = 0;
  taken = 0;
  lostMs: number | undefined;
  told: HostFigures | undefined;
  toldMs = Number.NEGATIVE_INFINITY;
  /** Its requests that are here, by its numbers. */
  readonly handed = new Map<number, Handed>();
  /** When the right was seen to be over, with replies that may not have left. */
  overMs: number | undefined;
  readonly #ends = new Map<number, Kept>();
  #lastEnd = 0;
  #sentBytes = 0;
  /** The last reply that was published from here, and the number of its end. */
  #lastSent = 0;
  #lastSentEnd = 0;

  constructor(host: string, session: string) {
    this.host = host;
    this.session = session;
  }

  /** Ends that it has not confirmed. */
  get ends(): readonly HandedEnd[] {
    return [...this.#ends.values()].map(({ end }) => end);
  }

  /** Whether a reply more may be published from here. */
  get hasRoomToSend(): boolean {
    return this.#sentBytes < SENT_BYTES_MAX;
  }

  /** Whether a reply that was published from here may not have left: neither has its host confirmed the end, nor the server the reply. */
  mayHaveUnsent(taken: number): boolean {
    return this.#lastSent > taken && this.#ends.has(this.#lastSentEnd);
  }

  /** The replies that have not left never do: their ends go by way of the host, with the text. @returns how many */
  takeBack(taken: number): number {
    let count = 0;
    for (const { end, sent } of [...this.#ends.values()]) {
      if (sent === undefined || sent.number <= taken || end.how !== 'ended') continue;
      count += 1;
      this.#sentBytes -= bytesOf(sent);
      this.#ends.set(end.seq, { end: { ...end, outcome: sent.outcome }, sent: undefined });
    }
    this.#lastSent = 0;
    return count;
  }

  /** Nothing of it is here, and it has confirmed all ends. */
  get isIdle(): boolean {
    return this.handed.size === 0 && this.#ends.size === 0;
  }

  /** It has heard this host at that moment of the clock here. */
  granted(stampMs: number | null): void {
    if (stampMs !== null) this.leaseUntilMs = Math.max(this.leaseUntilMs, stampMs + LEASE_MS);
  }

  beaten({ stampMs, heardMs, taken }: Beat, nowMs: number): void {
    this.stampMs = stampMs;
    this.stampHeardMs = nowMs;
    this.granted(heardMs);
    for (const seq of this.#ends.keys()) {
      if (seq > taken) break;
      this.#drop(seq);
    }
  }

  nextEnd(): number {
    this.#lastEnd += 1;
    return this.#lastEnd;
  }

  /** @param sent the reply, if it was published from here */
  keep(end: HandedEnd, sent?: Sent): void {
    this.#ends.set(end.seq, { end, sent });
    if (sent !== undefined) {
      this.#sentBytes += bytesOf(sent);
      this.#lastSent = sent.number;
      this.#lastSentEnd = end.seq;
    }
    if (this.#ends.size <= ENDS_MAX) return;
    const oldest = this.#ends.keys().next();
    if (oldest.done !== true) this.#drop(oldest.value);
  }

  /** @returns false if it could not be told */
  tell(message: NeighbourMessage): boolean {
    try {
      return this.ref?.tell(message) === true;
    } catch {
      // It is too large for the server.
      return false;
    }
  }

  #drop(seq: number): void {
    const sent = this.#ends.get(seq)?.sent;
    if (sent !== undefined) this.#sentBytes -= bytesOf(sent);
    this.#ends.delete(seq);
  }
}

function bytesOf({ outcome }: Sent): number {
  return outcome.ok ? outcome.payload.length : 0;
}
