import type { MessagePort } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import type { Clock, ExitReason, Overflow, SpawnOptions } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError } from '../errors.ts';
import type { Parcel } from './parcel.ts';

/** What a shard can be told, over comlink. It answers with outcomes: of an error that is thrown comlink keeps the text alone. */
export interface ShardControl {
  place(request: PlaceRequest): Promise<Outcome<void>>;
  /** Ends an actor that was placed; the outcome is how it ended. */
  stop(actor: number, timeoutMs: number | undefined): Promise<Outcome<ExitReason>>;
  stats(): Promise<Outcome<WorkerStats>>;
  /** Ends all actors; the thread ends with them. */
  shutdown(timeoutMs: number): Promise<Outcome<void>>;
  /** Harms the shard, for tests: refused unless the environment has `SHOAL_TEST_MISHAPS`. */
  mishap(how: string): Promise<Outcome<void>>;
}

export interface PlaceRequest {
  /** Given by whoever places it; below zero. */
  readonly actor: number;
  readonly path: string;
  readonly behaviour: string;
  readonly args: Parcel;
  readonly options: PlacedOptions;
}

/** Of the options of a spawn those that can cross. */
export interface PlacedOptions extends Pick<SpawnOptions, 'capacity' | 'stopTimeoutMs'> {
  /** No `backpressure`: who sends from another thread has been answered long before the mailbox is reached. */
  readonly overflow?: Exclude<Overflow, 'backpressure'>;
}

export interface WorkerStats {
  readonly actors: number;
  /** Messages that wait in the mailboxes of placed actors. */
  readonly depth: number;
  /** Messages from and to other threads. */
  readonly received: number;
  readonly sent: number;
  readonly heapBytes: number;
  readonly deadLetters: number;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorEnvelope };

/** Calls to one shard: each has a deadline of its own, and all end when the shard does. Comlink alone would let them wait for ever. */
export class ControlCalls {
  readonly #remote: Remote<ShardControl>;
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #pending = new Set<(error: Error) => void>();
  #lost: Error | undefined;

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    // Node's ports are what comlink expects of an endpoint; its types say so in the words of a browser.
    this.#remote = wrap<ShardControl>(port as unknown as Parameters<typeof wrap>[0]);
  }

  /** @throws what the shard answers; SHARD_CALL_TIMEOUT; SHARD_LOST when it ends first */
  call<T>(what: string, deadlineMs: number, run: (remote: Remote<ShardControl>) => Promise<Outcome<T>>): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        if (!this.#pending.delete(fail)) return;
        cancel();
        finish();
      };
      const fail = (error: Error): void => settle(() => reject(error));
      this.#pending.add(fail);
      const cancel = this.#clock.timer(deadlineMs, () =>
        fail(new ShoalError('SHARD_CALL_TIMEOUT', `the shard did not ${what} within ${deadlineMs} ms`)),
      );
      run(this.#remote).then(
        (outcome) => settle(() => (outcome.ok ? resolve(outcome.value) : reject(fromEnvelope(outcome.error)))),
        (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
      );
    });
  }

  close(error: Error): void {
    this.#lost ??= error;
    for (const fail of [...this.#pending]) fail(error);
    this.#port.close();
  }
}
