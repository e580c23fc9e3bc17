import { Ring } from './ring.ts';

/** Something that takes turns. */
export interface Runnable {
  /** Works for one turn. @returns true if there is more to do */
  turn(): boolean;
}

/** Decides which of the actors with mail takes its turn next, and when. */
export interface Scheduler {
  schedule(runnable: Runnable): void;
}

/** Reading the clock at each turn would cost more than a turn with one small message. */
const TURNS_A_LOOK = 32;
/** Node's I/O runs at least this often. A trip round the event loop costs some microseconds, a few percent of this. */
const BEFORE_IO_MS = 0.1;

/**
 * First come, first served. It starts in a microtask, so that a message costs no trip round the event loop, and yields
 * to I/O.
 */
export class FairScheduler implements Scheduler {
  readonly #ready = new Ring<Runnable>();
  readonly #nowMs: () => number;
  #awake = false;
  readonly #run = (): void => {
    let isOver = false;
    try {
      this.#drain();
      isOver = true;
    } finally {
      // The error is a defect and stays uncaught. The other actors go on.
      if (!isOver) setImmediate(this.#run);
    }
  };

  /** @param nowMs default: the machine's clock; with another one tests repeat the moments at which I/O runs */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(this.#run);
  }

  #drain(): void {
    const ready = this.#ready;
    let turns = 0;
    let lookedMs: number | undefined;
    for (let runnable = ready.shift(); runnable !== undefined; runnable = ready.shift()) {
      if (runnable.turn()) ready.push(runnable);
      turns += 1;
      if (turns % TURNS_A_LOOK !== 0) continue;
      const nowMs = this.#nowMs();
      lookedMs ??= nowMs;
      if (nowMs - lookedMs < BEFORE_IO_MS) continue;
      setImmediate(this.#run);
      return;
    }
    this.#awake = false;
  }
}
