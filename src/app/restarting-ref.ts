import { addresseeOf, type Clock, type Ref } from '../actors/mod.ts';

/** A restart takes a moment. An actor that is away for so long does not come back. */
const AWAY_MS_MAX = 2_000;
const LOOK_MS = 5;
const KEPT_MAX = 10_000;

interface Kept<M> {
  readonly message: M;
  readonly untilMs: number;
}

/** The ref of an actor that its supervisor restarts: messages that come between two incarnations are kept for the next. */
export class RestartingRef<M> implements Ref<M> {
  readonly path: string;
  readonly #target: Ref<M>;
  readonly #clock: Clock;
  readonly #lost: (message: M) => void;
  #kept: Kept<M>[] = [];

  /** @param lost told of each message for which no incarnation came */
  constructor(target: Ref<M>, clock: Clock, lost: (message: M) => void) {
    this.path = target.path;
    this.#target = target;
    this.#clock = clock;
    this.#lost = lost;
  }

  tell(message: M): boolean {
    if (this.#kept.length === 0 && !this.#isAway) return this.#target.tell(message);
    if (this.#kept.length >= KEPT_MAX) return false;
    const untilMs = this.#clock.monotonic() + AWAY_MS_MAX;
    this.#kept.push({ message, untilMs });
    if (this.#kept.length === 1) this.#lookLater();
    return true;
  }

  get #isAway(): boolean {
    const { state } = addresseeOf(this.#target);
    return state === 'stopped' || state === 'stopping';
  }

  #lookLater(): void {
    this.#clock.timer(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    const isAway = this.#isAway;
    const kept = this.#kept;
    this.#kept = isAway ? kept.filter(({ untilMs }) => untilMs > nowMs) : [];
    for (const { message, untilMs } of kept) {
      if (isAway ? untilMs <= nowMs : !this.#target.tell(message)) this.#lost(message);
    }
    if (this.#kept.length > 0) this.#lookLater();
  }
}
