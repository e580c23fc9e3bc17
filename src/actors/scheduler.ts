import { Ring } from './ring.ts';

/** The time between two visits to the event loop, as those see it who take turns. */
export interface Slice {
  /** How many messages may be handled before `spend` is called; at least 1 at the start of a turn. */
  readonly messagesLeft: number;
  /**
   * Counts messages as handled. The scheduler itself counts one for each turn.
   * @returns true if the slice is over, so that the turn should end
   */
  spend(messages: number): boolean;
}

/** Something that takes turns. */
export interface Runnable {
  /** Works for one turn, and tells `slice` of all messages but one. @returns true if there is more to do */
  turn(slice: Slice): boolean;
}

/** Decides which of the actors with mail takes its turn next, and when. */
export interface Scheduler {
  schedule(runnable: Runnable): void;
}

/**
 * After so long, Node's timers and I/O have their turn. A trip round the event loop takes about a microsecond of CPU,
 * one percent of this.
 */
export const SLICE_MS = 0.1;
/**
 * Reading the clock costs as much as two small messages, so it is not read after each one. A sudden run of long
 * messages after short ones is found after at most so many.
 */
const STRIDE_MAX = 128;
/** A message takes some time, even if the clock has not moved. */
const CLOCK_STEP_MS = 1e-6;

const { nodeTiming } = performance;

/** How often the event loop of this thread has turned. It takes as long as reading the clock. */
function loopsOfThread(): number {
  return nodeTiming.uvMetricsInfo.loopCount;
}

/**
 * First come, first served. It starts in a microtask, so that a message costs no trip round the event loop.
 *
 * The time between two visits to the event loop is a slice. It may span any number of microtasks, because handlers that
 * await each other never leave them. If the scheduler wakes `SLICE_MS` or more after the slice began, libuv's count of
 * loops tells whether the event loop has turned since. If it has, a new slice begins. If it has not, or if the slice
 * ends in the midst of work, all turns wait for an immediate. Its phase of the event loop is used because timers and
 * I/O run between any two of them. (A message port would take half the time, but Node reads up to 1 000 messages from
 * one before it looks at anything else.) Slices in which little happens set none: an immediate for each would be a
 * twentieth of the time of an ask across threads.
 */
export class FairScheduler implements Scheduler, Slice {
  readonly #ready = new Ring<Runnable>();
  /**
   * Whose turn the end of the slice has interrupted. It goes on first in the next slice: if it went to the end of the
   * queue, actors that pass messages on would have ever fewer of them at a time, and take a turn for each.
   */
  #interrupted: Runnable | undefined;
  readonly #nowMs: () => number;
  /** True while a wake-up or an immediate is on its way, and while turns are taken. */
  #awake = false;
  /** When the slice began. */
  #startMs = Number.NEGATIVE_INFINITY;
  /** How often the event loop had turned by then. */
  #startLoops = Number.NaN;
  /** True if the slice has used up its time. */
  #isOver = false;
  /** Messages handled in this slice before the stride. */
  #handled = 0;
  /** How many messages are handled between two readings of the clock. */
  #stride = 1;
  /** How many of them are left. */
  #left = 1;

  /** @param nowMs default: the machine's clock; with another one tests repeat the moments at which I/O runs */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get messagesLeft(): number {
    return this.#left;
  }

  spend(messages: number): boolean {
    this.#left -= messages;
    if (this.#left <= 0) this.#look();
    return this.#isOver;
  }

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(this.#woken);
  }

  /** Promises, or the event loop, may have taken any time since the last turn. */
  readonly #woken = (): void => {
    const nowMs = this.#nowMs();
    if (nowMs - this.#startMs < SLICE_MS) this.#pace(nowMs);
    else if (loopsOfThread() === this.#startLoops) this.#isOver = true;
    else this.#begin(nowMs);
    this.#work();
  };

  /** The event loop has turned. */
  readonly #turned = (): void => {
    this.#begin(this.#nowMs());
    this.#work();
  };

  #begin(nowMs: number): void {
    this.#startMs = nowMs;
    this.#startLoops = loopsOfThread();
    this.#isOver = false;
    this.#handled = 0;
    this.#stride = 1;
    this.#left = 1;
  }

  #work(): void {
    let isDrained = false;
    try {
      if (!this.#isOver) this.#drain();
      isDrained = !this.#isOver;
    } finally {
      // A turn that throws is a defect, and the error stays uncaught. The other actors go on in the next slice.
      if (isDrained) this.#awake = false;
      else setImmediate(this.#turned);
    }
  }

  /** Gives turns until nobody wants one, or the slice is over. */
  #drain(): void {
    const ready = this.#ready;
    let runnable = this.#interrupted ?? ready.shift();
    this.#interrupted = undefined;
    for (let isFirst = true; runnable !== undefined; runnable = ready.shift()) {
      const wantsMore = runnable.turn(this);
      if (this.#isOver) {
        // Whoever has had all of a slice waits for the others, however few its messages were.
        if (wantsMore && isFirst) ready.push(runnable);
        else if (wantsMore) this.#interrupted = runnable;
        return;
      }
      isFirst = false;
      if (wantsMore) ready.push(runnable);
      this.#left -= 1;
      if (this.#left <= 0) this.#look();
      if (this.#isOver) return;
    }
  }

  #look(): void {
    this.#pace(this.#nowMs());
  }

  /** Chooses the next stride by what a message has cost. */
  #pace(nowMs: number): void {
    const passedMs = Math.max(nowMs - this.#startMs, CLOCK_STEP_MS);
    this.#handled += this.#stride - this.#left;
    this.#isOver = passedMs >= SLICE_MS;
    const fitting = (this.#handled * (SLICE_MS - passedMs)) / passedMs;
    this.#stride = Math.max(1, Math.min(this.#stride * 2, STRIDE_MAX, fitting / 2) | 0);
    this.#left = this.#stride;
  }
}
