import { MessageChannel, type ResourceLimits, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type ActorSystem, type CancelTimer, type ExitReason, msToNext, type Ref } from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { Connection } from './connection.ts';
import { ControlCalls, type PlacedOptions } from './control.ts';
import { type HeartbeatLimits, heard, isHung, look, type Pulse } from './heartbeat.ts';
import { moduleBeside } from './module.ts';
import { Seat } from './seat.ts';
import type { ShardInit, WorkerNews } from './shard-event.ts';

export interface ThreadOptions {
  readonly index: number;
  readonly system: ActorSystem;
  readonly module: URL;
  readonly options: unknown;
  readonly heartbeat: HeartbeatLimits;
  readonly resourceLimits: ResourceLimits;
  /** From the start of the thread until it can be given actors. */
  readonly startMs: number;
  readonly nextActor: () => number;
  readonly onUp: () => void;
  /** The thread is gone, and everybody on it has been told. */
  readonly onEnded: (reason: ExitReason) => void;
  readonly onFailure: (path: string, error: ErrorEnvelope) => void;
}

/** How long we wait for a thread that was ended to be gone. One that is stuck in the kernel does not go. */
const EXIT_MS = 2_000;

/** One life of a worker thread, from its start to the end of everybody on it. */
export class ShardThread {
  readonly index: number;
  readonly connection: Connection;
  readonly calls: ControlCalls;
  readonly ended: Promise<void>;
  readonly #options: ThreadOptions;
  readonly #pool: Piscina;
  readonly #gone: Promise<void>;
  readonly #seats = new Map<number, Seat>();
  #state: 'starting' | 'up' | 'ending' | 'ended' = 'starting';
  /** Why we end it, or why it said that it would end. */
  #why: { readonly text: string; readonly cause?: ErrorEnvelope } | undefined;
  #pulse: Pulse;
  /** Since the last look. */
  #isHeard = false;
  #cancelLook: CancelTimer = () => undefined;

  constructor(options: ThreadOptions) {
    const { index, system, module, heartbeat, resourceLimits } = options;
    this.index = index;
    this.#options = options;
    this.#pool = new Piscina({
      filename: moduleBeside(import.meta.url, 'shard-main').href,
      // None but the one that the task asks for: the pool must not replace a thread that is gone, since that is for `Shard` to do.
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A worker without a task would stand still, with the answers of its last one unsent.
      atomics: 'disabled',
      execArgv: [],
      resourceLimits,
    });
    // A thread that fails before it has its task: the task would wait for another.
    this.#pool.on('error', (error: unknown) => this.terminate(whyOf(error)));
    const mail = new MessageChannel();
    const control = new MessageChannel();
    this.#pulse = { silentMs: 0, lookedMs: system.clock.monotonic() };
    this.connection = new Connection({
      port: mail.port1,
      system,
      peer: `shard ${index}`,
      placed: (id) => this.#seats.get(id)?.self,
      placedIdOf: () => undefined,
      // Only `ShardHost.tell` sends them.
      onEvent: (news) => this.#hear(news as WorkerNews),
      onHeard: () => {
        this.#isHeard = true;
      },
      onDefect: (path, error) => options.onFailure(path, toEnvelope(error)),
    });
    this.calls = new ControlCalls(control.port1, system.clock);
    const init: ShardInit = {
      index,
      mail: mail.port2,
      control: control.port2,
      module: module.href,
      options: this.connection.pack(options.options),
      beatMs: heartbeat.beatMs,
    };
    this.ended = this.#pool.run(init, { transferList: [mail.port2, control.port2] }).then(
      () => this.#end(() => ({ kind: 'shutdown' })),
      (error: unknown) => this.#end(() => ({ kind: 'error', error: toEnvelope(this.#lost(error)) })),
    );
    // The pool has started it for the task.
    this.#gone = goneOf(this.#pool.threads[0]);
    this.#cancelLook = system.clock.timer(options.startMs, () => this.#startTooLong());
  }

  /** Places that are taken. */
  get actors(): number {
    return this.#seats.size;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Takes a place for an actor. */
  seat(self: Ref<never>, options: PlacedOptions): Seat {
    const { connection, calls } = this;
    const leave = ({ actor }: Seat): void => {
      this.#seats.delete(actor);
    };
    const seat = new Seat(this.#options.nextActor(), self, options, { shard: this.index, connection, calls, leave });
    this.#seats.set(seat.actor, seat);
    return seat;
  }

  /** Ends the thread at once, whatever it does. Its end shows as any other loss. */
  terminate(text: string): void {
    if (this.#state === 'ending' || this.#state === 'ended') return;
    this.#state = 'ending';
    this.#why ??= { text };
    void this.#pool.destroy();
  }

  /** Ends its actors, and it with them. Resolves when it is gone. */
  async stop(timeoutMs: number): Promise<void> {
    try {
      await this.calls.call('shut down', timeoutMs + EXIT_MS, (shard) => shard.shutdown(timeoutMs));
    } catch {
      this.terminate('it did not end in time');
    }
    await this.ended;
  }

  #hear(news: WorkerNews): void {
    switch (news.kind) {
      case 'beat':
        return;
      case 'up':
        this.#up();
        return;
      case 'not-up':
        this.#why = { text: 'it could not start', cause: news.error };
        return;
      case 'actor-ended':
        this.#seats.get(news.actor)?.over(news.reason);
        return;
      case 'failed':
        this.#options.onFailure(news.path, news.error);
        return;
      case 'dead-letter':
        this.#options.system.deadLetters.add(news.letter);
        return;
    }
  }

  #up(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'up';
    this.#cancelLook();
    this.#pulse = { silentMs: 0, lookedMs: this.#options.system.clock.monotonic() };
    this.#lookLater();
    this.#options.onUp();
  }

  #lookLater(): void {
    const { system, heartbeat } = this.#options;
    this.#cancelLook = system.clock.timer(msToNext(system.clock.monotonic(), heartbeat.beatMs), () => {
      const nowMs = system.clock.monotonic();
      this.#pulse = this.#isHeard ? heard(nowMs) : look(this.#pulse, nowMs, heartbeat);
      this.#isHeard = false;
      if (isHung(this.#pulse, heartbeat)) this.terminate(`it hung: no sign of life for ${heartbeat.hangMs} ms`);
      else this.#lookLater();
    });
  }

  #startTooLong(): void {
    this.terminate(`it did not start within ${this.#options.startMs} ms`);
  }

  /** Last words first: what was posted before the end has been sent, and may say why it came. */
  async #end(reasonOf: () => ExitReason): Promise<void> {
    this.#state = 'ending';
    this.#cancelLook();
    void this.#pool.destroy();
    await this.#exited();
    this.connection.drain();
    const reason = reasonOf();
    this.#state = 'ended';
    this.connection.close(reason);
    this.calls.close(reason.kind === 'error' ? fromEnvelope(reason.error) : stopped(this.index));
    for (const seat of [...this.#seats.values()]) seat.over(reason);
    this.#options.onEnded(reason);
  }

  /** An actor must not live on two shards, so the next place is given when this thread is gone for certain. */
  async #exited(): Promise<void> {
    let cancel: CancelTimer = () => undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.#options.system.clock.timer(EXIT_MS, resolve);
    });
    await Promise.race([this.#gone, limit]);
    cancel();
  }

  #lost(error: unknown): ShoalError {
    const { text, cause } = this.#why ?? { text: whyOf(error), cause: toEnvelope(error) };
    return new ShoalError('SHARD_LOST', `shard ${this.index} is lost: ${text}`, {
      details: { shard: this.index, why: text, actors: this.#seats.size },
      ...(cause === undefined ? {} : { cause: fromEnvelope(cause) }),
    });
  }
}

function whyOf(error: unknown): string {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return 'it ran out of memory';
  const message = error instanceof Error ? error.message : String(error);
  const exitCode = /^worker exited with code: (\d+)$/.exec(message)?.[1];
  return exitCode === undefined ? `it threw: ${message}` : `its thread ended with exit code ${exitCode}`;
}

function stopped(index: number): ShoalError {
  return new ShoalError('SHARD_LOST', `shard ${index} has been stopped`, { details: { shard: index } });
}

function goneOf(worker: Worker | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (worker === undefined) resolve();
    else worker.once('exit', () => resolve());
  });
}
