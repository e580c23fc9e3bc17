import type { CancelTimer, Clock, Runnable, Scheduler, Slice } from '../actors/mod.ts';
import type { Chance } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Actors that take more turns before the next entry of the time send to each other for ever. */
const TURNS_AT_ONE_MOMENT_MAX = 1_000_000;

/** No wall clock ends a turn: it ends by the actor's own rules, and so in the same way each time. */
const ENDLESS: Slice = { messagesLeft: Number.POSITIVE_INFINITY, spend: () => false };

/** The wall clock when a world begins. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

export interface SimulatedProcessOptions {
  /** Of the host's wall clock. */
  readonly wallOffsetMs?: number;
  /** The machine that it runs on, by which the network knows it. */
  readonly place?: string;
}

/**
 * One life of a simulated process: a clock, a scheduler whose order a seed decides, and a gate for all that comes from outside. While it is
 * paused, nothing runs, and all that falls due waits. Once it is killed, nothing of it ever runs again.
 */
export class SimulatedProcess {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  /** The machine that it runs on. */
  readonly place: string;
  readonly #time: VirtualTime;
  readonly #ready: Runnable[] = [];
  readonly #gated: (() => void)[] = [];
  /** Told when it is killed: a peer sees its sockets close. */
  readonly #onDeath = new Set<() => void>();
  readonly #turn = (): void => this.#runOne();
  #state: 'running' | 'paused' | 'dead' = 'running';
  #isAwake = false;
  #turns = 0;
  #turnsMs = 0;
  #wallOffsetMs: number;

  constructor(time: VirtualTime, chance: Chance, { wallOffsetMs = 0, place = '' }: SimulatedProcessOptions = {}) {
    this.#time = time;
    this.chance = chance;
    this.place = place;
    this.#wallOffsetMs = wallOffsetMs;
    this.clock = {
      now: () => EPOCH_MS + Math.floor(time.nowMs) + this.#wallOffsetMs,
      monotonic: () => time.nowMs,
      timer: (delayMs, callback) => this.#timer(delayMs, callback),
      soon: (callback) => void this.later(0, callback),
    };
    this.scheduler = { schedule: (runnable) => this.#schedule(runnable) };
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Lets something from outside in: now, after a pause, or never. */
  gate(callback: () => void): void {
    if (this.#state === 'running') callback();
    else if (this.#state === 'paused') this.#gated.push(callback);
  }

  /** The same, after `delayMs`. */
  later(delayMs: number, callback: () => void): CancelTimer {
    return this.#time.after(delayMs, () => this.gate(callback));
  }

  /** @returns a function that forgets the callback */
  onDeath(callback: () => void): () => void {
    this.#onDeath.add(callback);
    return () => this.#onDeath.delete(callback);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    for (const callback of this.#gated.splice(0)) callback();
    this.#wake();
  }

  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#ready.length = 0;
    this.#gated.length = 0;
    const told = [...this.#onDeath];
    this.#onDeath.clear();
    for (const callback of told) callback();
  }

  /** Sets the host's wall clock, as an administrator or NTP does. */
  stepWallClock(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  #timer(delayMs: number, callback: () => void): CancelTimer {
    let isCancelled = false;
    const cancel = this.later(delayMs, () => {
      if (!isCancelled) callback();
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  #schedule(runnable: Runnable): void {
    if (this.#state === 'dead') return;
    this.#ready.push(runnable);
    this.#wake();
  }

  #wake(): void {
    if (this.#isAwake || this.#ready.length === 0) return;
    this.#isAwake = true;
    queueMicrotask(this.#turn);
  }

  #runOne(): void {
    this.#isAwake = false;
    this.#turns = this.#time.nowMs === this.#turnsMs ? this.#turns + 1 : 0;
    this.#turnsMs = this.#time.nowMs;
    if (this.#turns > TURNS_AT_ONE_MOMENT_MAX) {
      this.#time.fail(new Error(`actors send to each other for ever at ${this.#turnsMs} ms`));
      this.kill();
    }
    if (this.#state !== 'running') return;
    const at = this.chance.below(this.#ready.length);
    const runnable = this.#ready[at];
    const last = this.#ready.pop();
    if (runnable === undefined || last === undefined) return;
    if (at < this.#ready.length) this.#ready[at] = last;
    try {
      if (runnable.turn(ENDLESS)) this.#ready.push(runnable);
    } catch (error) {
      this.#time.fail(error);
      return;
    }
    this.#wake();
  }
}
