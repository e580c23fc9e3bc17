/**
 * The time that the rules judge VMs by. It stands still while nothing could be heard of the VMs, because our own process stood still
 * or the host was out of reach: no silence, boot or lease counts in that time. Arguments are monotonic milliseconds.
 */
export class RuleClock {
  #leftOutMs = 0;
  #stoppedMs: number | undefined;

  at(nowMs: number): number {
    return (this.#stoppedMs ?? nowMs) - this.#leftOutMs;
  }

  /** The time on this clock at which a moment to come will be, if nothing is left out until then. */
  of(atMs: number): number {
    return atMs - this.#leftOutMs;
  }

  /** Leaves out time that has just passed. */
  leaveOut(forMs: number): void {
    // While the clock stands still that time is left out already.
    if (this.#stoppedMs === undefined) this.#leftOutMs += forMs;
  }

  stop(nowMs: number): void {
    this.#stoppedMs ??= nowMs;
  }

  resume(nowMs: number): void {
    if (this.#stoppedMs === undefined) return;
    this.#leftOutMs += nowMs - this.#stoppedMs;
    this.#stoppedMs = undefined;
  }
}
