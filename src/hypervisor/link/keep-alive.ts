import type { CancelTimer, Clock, Ref } from '../../actors/mod.ts';

/** Tells a link that it may ping its guest. */
export interface KeepAliveMessage {
  readonly kind: 'keep-alive';
}

/** On one host TCP notices a loss by itself, and each ping wakes the guest. */
const INTERVAL_MS = 15_000;
/** So many parts of an interval are told one after the other, so that many links are not all told at one moment. */
const PARTS = 15;
const MESSAGE: KeepAliveMessage = { kind: 'keep-alive' };

/**
 * Tells links at an interval to keep their connections alive. One timer serves them all: one for each would take more
 * memory than all else of a link at rest. A part of an interval falls on a whole second, as other periodic work does.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #partMs: number;
  readonly #parts: readonly Set<Ref<KeepAliveMessage>>[] = Array.from({ length: PARTS }, () => new Set());
  /** All links of this part, counted from the beginning of the clock, and of those before it have been told. */
  #told = 0;
  /** The part that the timer waits for. */
  #due = 0;
  #cancel: CancelTimer | undefined;
  #links = 0;

  constructor(clock: Clock, intervalMs = INTERVAL_MS) {
    this.#clock = clock;
    this.#partMs = intervalMs / PARTS;
  }

  /**
   * The link is told from now on, first after an interval at the latest.
   * @returns what `remove` needs
   */
  add(link: Ref<KeepAliveMessage>): number {
    const part = Math.floor(this.#clock.monotonic() / this.#partMs);
    // Its timer is late: this link is not to be told with the others.
    if (this.#cancel !== undefined && part >= this.#due) {
      this.#cancel();
      this.#tell();
    }
    // Nobody is in the parts before the one that is due.
    this.#told = part;
    const links = this.#at(part);
    if (!links.has(link)) this.#links += 1;
    links.add(link);
    this.#arm();
    return part;
  }

  /** Without links there is no timer either: it would keep a process that has ended its work from ending. */
  remove(link: Ref<KeepAliveMessage>, part: number): void {
    if (this.#at(part).delete(link)) this.#links -= 1;
    if (this.#links > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    if (this.#cancel !== undefined) return;
    for (let part = this.#told + 1; part <= this.#told + PARTS; part++) {
      if (this.#at(part).size === 0) continue;
      this.#due = part;
      const waitMs = Math.max(0, part * this.#partMs - this.#clock.monotonic());
      this.#cancel = this.#clock.timer(waitMs, () => this.#tell());
      return;
    }
  }

  #tell(): void {
    this.#cancel = undefined;
    // A timer may fire a moment early, and after a pause of ours some parts are due.
    const now = Math.max(this.#due, Math.floor(this.#clock.monotonic() / this.#partMs));
    for (let part = Math.max(this.#told + 1, now - PARTS + 1); part <= now; part++) {
      for (const link of this.#at(part)) link.tell(MESSAGE);
    }
    this.#told = now;
    this.#arm();
  }

  #at(part: number): Set<Ref<KeepAliveMessage>> {
    const links = this.#parts[part % PARTS];
    if (links === undefined) throw new Error(`${part} is no part`);
    return links;
  }
}
