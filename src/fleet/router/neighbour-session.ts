import type { Ref } from '../../actors/mod.ts';
import type { HostFigures } from '../values/neighbour.ts';
import { LEASE_MS } from '../values/neighbour.ts';
import type { Beat, HandedEnd, NeighbourMessage } from './neighbour-messages.ts';

/** Ends that a neighbour has not confirmed: beyond these the oldest is forgotten, and its request ends as with a lost host. */
const ENDS_MAX = 10_000;

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
  readonly #ends = new Map<number, HandedEnd>();
  #lastEnd = 0;

  constructor(host: string, session: string) {
    this.host = host;
    this.session = session;
  }

  /** Ends that it has not confirmed. */
  get ends(): Iterable<HandedEnd> {
    return this.#ends.values();
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
      this.#ends.delete(seq);
    }
  }

  nextEnd(): number {
    this.#lastEnd += 1;
    return this.#lastEnd;
  }

  keep(end: HandedEnd): void {
    this.#ends.set(end.seq, end);
    if (this.#ends.size <= ENDS_MAX) return;
    const oldest = this.#ends.keys().next();
    if (oldest.done !== true) this.#ends.delete(oldest.value);
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
}
