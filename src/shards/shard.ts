import { type CancelTimer, type Clock, type ExitReason, failureReason } from '../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { LIFE_MS_MIN, restartDelayMs } from './restart-delay.ts';
import type { ShardThread, ThreadOptions } from './shard-thread.ts';

export interface ShardOptions {
  readonly index: number;
  readonly clock: Clock;
  readonly start: (events: Pick<ThreadOptions, 'index' | 'onUp' | 'onEnded'>) => ShardThread;
  readonly onUp: () => void;
  readonly onLost: (error: ErrorEnvelope) => void;
}

/** A shard: one worker thread at a time. When a thread is lost, a fresh one takes its place. */
export class Shard {
  readonly index: number;
  /** How many threads were lost. */
  lost = 0;
  readonly #options: ShardOptions;
  #thread: ShardThread | undefined;
  #startedMs = 0;
  #shortLives = 0;
  #stopping = false;
  #cancelStart: CancelTimer = () => undefined;

  constructor(options: ShardOptions) {
    this.index = options.index;
    this.#options = options;
    this.#start();
  }

  /** The thread, if actors can be placed on it. */
  get open(): ShardThread | undefined {
    return this.#thread?.isUp === true ? this.#thread : undefined;
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#cancelStart();
    const thread = this.#thread;
    if (thread?.isUp === true) await thread.stop(timeoutMs);
    thread?.terminate('it was not needed any more');
    await thread?.ended;
  }

  #start(): void {
    const { index, clock, start, onUp } = this.#options;
    this.#startedMs = clock.monotonic();
    this.#thread = start({ index, onUp, onEnded: (reason) => this.#ended(reason) });
  }

  /** Nobody is there to catch what a restart throws, so it counts as a thread that is lost. */
  #restart(): void {
    try {
      this.#start();
    } catch (error) {
      this.#ended(failureReason(couldNotStart(this.index, error)));
    }
  }

  #ended(reason: ExitReason): void {
    this.#thread = undefined;
    if (this.#stopping) return;
    const { clock, onLost } = this.#options;
    this.lost += 1;
    this.#shortLives = clock.monotonic() - this.#startedMs < LIFE_MS_MIN ? this.#shortLives + 1 : 0;
    const delayMs = restartDelayMs(this.#shortLives);
    if (delayMs === 0) this.#restart();
    else this.#cancelStart = clock.timer(delayMs, () => this.#restart());
    if (reason.kind === 'error') onLost(reason.error);
  }
}

function couldNotStart(shard: number, cause: unknown): ShoalError {
  const why = `it could not start: ${toEnvelope(cause).message}`;
  const details = { shard, why, actors: 0, couldNotStart: true };
  return new ShoalError('SHARD_LOST', `shard ${shard} is lost: ${why}`, { details, cause });
}
