import { type CancelTimer, type Context, msToNext } from '../../actors/mod.ts';
import type { RouterMessage } from './router-messages.ts';

/** How often deadlines and the rules that depend on time are looked at while anything is under way. */
const TICK_MS = 50;
/** And while nothing is: each look wakes a process that would sleep. */
const REST_MS_MAX = 1_000;

/**
 * When the router looks at the time: often while requests are open or VMs come and go, rarely while it could find nothing but the
 * silence of a VM.
 */
export class Ticker {
  readonly #context: Context<RouterMessage>;
  #dueMs = 0;
  #resting = false;
  /** Of the lateness of the tick that is due, what has been told. */
  #toldMs = 0;
  #cancel: CancelTimer = () => undefined;

  constructor(context: Context<RouterMessage>) {
    this.#context = context;
    this.#arm(context.clock.monotonic(), TICK_MS);
  }

  get isResting(): boolean {
    return this.#resting;
  }

  /**
   * How much longer than it should the tick has taken to come, or takes, without what was told before. A whole tick means that our own
   * process stood still.
   */
  pausedMs(nowMs: number): number {
    const lateMs = nowMs - this.#dueMs;
    if (lateMs <= TICK_MS) return 0;
    const newMs = lateMs - this.#toldMs;
    this.#toldMs = lateMs;
    return newMs;
  }

  /** The tick in hand is done. @param statusIntervalMs how often anything is heard of a VM at rest */
  next(nowMs: number, atRest: boolean, statusIntervalMs: number): void {
    this.#resting = atRest;
    const restMs = Math.min(REST_MS_MAX, Math.max(TICK_MS, statusIntervalMs));
    this.#arm(nowMs, atRest ? msToNext(nowMs, restMs) : TICK_MS);
  }

  /** Something is under way: the rest is over. */
  wake(nowMs: number): void {
    if (!this.#resting) return;
    this.#resting = false;
    if (this.#dueMs - nowMs <= TICK_MS) return;
    this.#cancel();
    this.#arm(nowMs, TICK_MS);
  }

  #arm(nowMs: number, delayMs: number): void {
    this.#toldMs = 0;
    this.#dueMs = nowMs + delayMs;
    this.#cancel = this.#context.after(delayMs, { kind: 'tick' });
  }
}
