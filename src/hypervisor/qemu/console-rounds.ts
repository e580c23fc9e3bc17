import { type CancelTimer, type Clock, msToNext } from '../../actors/mod.ts';

/** When the next turn is due. */
export interface NextRound {
  readonly inMs: number;
  /** Moves the turn to a multiple of `inMs` on the clock, so that it coincides with the aligned turns of others. */
  readonly aligned: boolean;
}

/** A console that takes turns. */
export interface RoundMember {
  round(nowMs: number): NextRound;
}

/**
 * Reads all consoles of a thread, as many as possible at the same moment. Waking up is what costs an idle process its
 * CPU, and ten VMs that report at moments of their own would wake it ten times as often as one.
 */
export class ConsoleRounds {
  readonly #clock: Clock;
  readonly #dueMs = new Map<RoundMember, number>();
  #nextMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives `member` its turns from now on, the first one soon. A member may join again to have its next turn soon. */
  join(member: RoundMember): void {
    const nowMs = this.#clock.monotonic();
    this.#dueMs.set(member, nowMs);
    this.#arm(nowMs);
  }

  leave(member: RoundMember): void {
    this.#dueMs.delete(member);
    if (this.#dueMs.size > 0) return;
    this.#cancel();
    this.#nextMs = Number.POSITIVE_INFINITY;
  }

  #arm(dueMs: number): void {
    if (dueMs >= this.#nextMs) return;
    this.#cancel();
    this.#nextMs = dueMs;
    this.#cancel = this.#clock.timer(Math.max(1, Math.ceil(dueMs - this.#clock.monotonic())), () => this.#round());
  }

  #round(): void {
    const nowMs = this.#clock.monotonic();
    let nextMs = Number.POSITIVE_INFINITY;
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [member, dueMs] of this.#dueMs) {
      let laterMs = dueMs;
      if (dueMs <= nowMs) {
        const { inMs, aligned } = member.round(nowMs);
        laterMs = nowMs + (aligned ? msToNext(nowMs, inMs) : inMs);
        // It may have left in its turn.
        if (this.#dueMs.has(member)) this.#dueMs.set(member, laterMs);
      }
      nextMs = Math.min(nextMs, laterMs);
    }
    if (this.#dueMs.size > 0) this.#arm(nextMs);
  }
}
