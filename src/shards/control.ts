import type { MessagePort } from 'node:worker_threads';
import { wrap } from 'comlink';
import type { Clock, ExitReason, Overflow, SpawnOptions } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError } from '../errors.ts';
import type { EncodedMessage } from './message-codec.ts';

/**
 * The calls that a shard takes over comlink. They return outcomes, because comlink keeps only the text of an error
 * that is thrown.
 */
export interface ShardControl {
  place(request: PlaceRequest): Promise<Settled<void>>;
  /** Stops a placed actor. The outcome is how it ended. */
  stop(actor: number, timeoutMs: number | undefined): Promise<Settled<ExitReason>>;
  stats(): Promise<Settled<WorkerStats>>;
  /** Stops all actors, and then ends the thread. */
  shutdown(timeoutMs: number): Promise<Settled<void>>;
  /** Harms the shard, for tests: refused unless the environment has `SHOAL_TEST_FAULTS=1`. */
  injectFault(fault: string): Promise<Settled<void>>;
}

export interface PlaceRequest {
  /** Below zero; chosen by the main thread. */
  readonly actor: number;
  readonly path: string;
  readonly behaviour: string;
  readonly args: EncodedMessage;
  readonly options: PlacedOptions;
  /** The mark on the channel that comes before the arguments; undefined if they have no refs. */
  readonly mark: number | undefined;
}

/** The spawn options that can cross to another thread. */
export interface PlacedOptions extends Pick<SpawnOptions, 'capacity' | 'stopTimeoutMs'> {
  /** Not `backpressure`: a sender on another thread goes on long before its message reaches the mailbox. */
  readonly overflow?: Exclude<Overflow, 'backpressure'>;
}

export interface WorkerStats {
  readonly actors: number;
  /** Messages waiting in the mailboxes of placed actors. */
  readonly depth: number;
  /** Messages from and to other threads. */
  readonly received: number;
  readonly sent: number;
  readonly heapBytes: number;
  readonly deadLetters: number;
}

export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorEnvelope };

/**
 * Calls to one shard. Each has a deadline of its own, and all fail when the shard ends: comlink alone never settles a
 * call whose worker has died.
 */
export class ControlCalls {
  readonly #remote: ShardControl;
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #waiting = new Set<(error: Error) => void>();
  #lost: Error | undefined;

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    // Node's ports are the endpoints that comlink expects, but comlink declares its endpoints with the DOM's types.
    this.#remote = wrap<ShardControl>(port as unknown as Parameters<typeof wrap>[0]);
  }

  /** @throws the error in the shard's outcome; SHARD_CALL_TIMEOUT; SHARD_LOST when the shard ends first */
  call<T>(task: string, deadlineMs: number, run: (remote: ShardControl) => Promise<Settled<T>>): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        if (!this.#waiting.delete(fail)) return;
        cancel();
        finish();
      };
      const fail = (error: Error): void => settle(() => reject(error));
      this.#waiting.add(fail);
      const cancel = this.#clock.timer(deadlineMs, () =>
        fail(new ShoalError('SHARD_CALL_TIMEOUT', `the shard did not ${task} within ${deadlineMs} ms`)),
      );
      run(this.#remote).then(
        (outcome) => settle(() => (outcome.ok ? resolve(outcome.value) : reject(fromEnvelope(outcome.error)))),
        (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
      );
    });
  }

  close(error: Error): void {
    this.#lost ??= error;
    for (const fail of [...this.#waiting]) fail(error);
    this.#port.close();
  }
}
