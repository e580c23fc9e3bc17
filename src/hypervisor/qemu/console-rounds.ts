import { type CancelTimer, type Clock, msToNext } from '../../actors/mod.ts';

/** When to come again. */
export interface NextRound {
  readonly inMs: number;
  /** At the moment at which the clock shows a multiple of `inMs`, as everybody else who wants so. */
  readonly aligned: boolean;
}

/** Somebody whose turn comes in a round. */
export interface RoundMember {
  round(nowMs: number): NextRound;
}

/**
 * Looks at all consoles of a thread, as many as can be at the same moment: what costs an idle process its CPU is to wake, and ten VMs that
 * report when they like would wake it ten times as often as one.
 */
export class ConsoleRounds {
  readonly #clock: Clock;
  readonly #dueMs = new Map<RoundMember, number>();
  #nextMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on `member` has its turns, the first one soon; also one that has them already. */
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
