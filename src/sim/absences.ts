import { LEASE_MS } from '../fleet/mod.ts';

/**
 * A time in which a host was cut off from NATS, stood still, or was dead: a dead one is never back, as what it knew is gone. `loss`: messages
 * from it or to it were lost, though its connection was up.
 */
interface Absence {
  readonly host: string;
  readonly what: AbsenceKind;
  readonly fromMs: number;
  untilMs: number;
}

export type AbsenceKind = 'cut-off' | 'pause' | 'death' | 'loss';

/** A host has told a client how its request ended. */
export interface Telling {
  readonly by: string;
  readonly atMs: number;
}

/** Between the end of a cut-off and what a host may still tell by the right that it had before. */
const LEFT_OF_LEASE_MS = LEASE_MS + 500;

/** How long what the kernel has may take once the network is back. */
const DELIVERY_MS = 200;

/** Which hosts were away, and when. By it, two answers that come by nature are told from those that must not be. */
export class Absences {
  readonly #all: Absence[] = [];

  leaves(host: string, what: AbsenceKind, atMs: number): void {
    this.#all.push({ host, what, fromMs: atMs, untilMs: Number.POSITIVE_INFINITY });
  }

  returns(host: string, what: AbsenceKind, atMs: number): void {
    for (const one of this.#all) {
      if (one.host === host && one.what === what) one.untilMs = Math.min(one.untilMs, atMs);
    }
  }

  /**
   * By nature: one host has told the client, and the message with the end was lost with the connection of home, the host that took the request
   * in. Then home may not hear of it: as the other is dead, cut off or stands still when home is back, and to home it is lost; or as the other
   * was cut off itself, does not know whether the reply has left, and tells home that it has not. So the client is told again. The same if
   * messages between the two were lost. And a host whose Shoal was killed does not know what it has told: the guest of an adopted VM hands
   * over its reply to a request whose deadline had passed, or whose reply it did not hear to be taken. And a host that stands still or dies
   * while it is cut off cannot reset its connection: what its kernel has of it leaves when the network is back. And a router of home that ends
   * while it is cut off answers for all that is open, and has not heard of the end.
   * @param next the client is told again
   */
  mayBeUnknownAt(home: string, { by, atMs }: Telling, next: Telling): boolean {
    const nextMs = next.atMs;
    const hasEnded =
      next.by === home && this.#of(home, nextMs).some((one) => one.what === 'death' && one.fromMs >= atMs);
    if (by === home) return hasEnded;
    if (this.#leftLate(by, atMs)) return true;
    const fromMs = atMs - LEFT_OF_LEASE_MS;
    const isLoss = ({ what, untilMs }: Absence): boolean => what === 'loss' && untilMs >= fromMs;
    if ([home, by].some((host) => this.#of(host, nextMs).some(isLoss))) return true;
    const cutOffs = this.#of(home, nextMs).filter(({ what, untilMs }) => what === 'cut-off' && untilMs >= fromMs);
    if (cutOffs.length === 0) return false;
    if (hasEnded && cutOffs.some((one) => one.fromMs <= atMs && one.untilMs >= atMs)) return true;
    const backMs = Math.min(nextMs, Math.max(atMs, ...cutOffs.map(({ untilMs }) => untilMs)));
    return this.#of(by, nextMs).some(({ what, fromMs: leftMs, untilMs }) => {
      if (what === 'death') return leftMs >= atMs;
      return untilMs >= backMs || (what === 'cut-off' && leftMs <= atMs + LEFT_OF_LEASE_MS && untilMs >= atMs);
    });
  }

  /** It had written what arrives now before it was away, and could not take it back. */
  #leftLate(host: string, atMs: number): boolean {
    const all = this.#of(host, atMs);
    const isCutOff = ({ what, untilMs }: Absence): boolean =>
      what === 'cut-off' && untilMs <= atMs && atMs - untilMs <= DELIVERY_MS;
    return all
      .filter(isCutOff)
      .some(({ fromMs, untilMs }) =>
        all.some(
          (one) => (one.what === 'pause' || one.what === 'death') && one.fromMs >= fromMs && one.fromMs <= untilMs,
        ),
      );
  }

  #of(host: string, untilMs: number): Absence[] {
    return this.#all.filter((one) => one.host === host && one.fromMs <= untilMs);
  }
}
