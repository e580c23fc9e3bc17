import { MessageChannel, type MessagePort, type ResourceLimits, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  type ActorSystem,
  type CancelTimer,
  type ExitReason,
  failureReason,
  msToNext,
  type Ref,
  randomHex,
  systemRandom,
} from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, messageOf, ShoalError, toEnvelope } from '../errors.ts';
import { ControlCalls, type PlacedOptions } from './control.ts';
import { type HeartbeatLimits, heard, isHung, type Pulse, silent } from './heartbeat.ts';
import type { EncodedMessage } from './message-codec.ts';
import { moduleBeside } from './module.ts';
import { Placement } from './placement.ts';
import { PortChannel } from './port-channel.ts';
import type { ShardInit } from './shard-init.ts';
import type { Line, Switchboard } from './switchboard.ts';
import { Tally } from './tally.ts';
import type { WorkerEvent } from './worker-event.ts';

export interface ThreadOptions {
  readonly index: number;
  readonly system: ActorSystem;
  readonly switchboard: Switchboard;
  readonly module: URL;
  readonly options: unknown;
  readonly heartbeat: HeartbeatLimits;
  readonly resourceLimits: ResourceLimits;
  /** The memory outside of its heap that the thread may use, in array buffers. */
  readonly bufferMbMax: number;
  /** From the start of the thread until actors can be placed on it. */
  readonly startMs: number;
  readonly nextActor: () => number;
  readonly onUp: () => void;
  /** The thread is gone, and the ends of its actors have been reported. */
  readonly onEnded: (reason: ExitReason) => void;
  readonly onFailure: (path: string, error: ErrorEnvelope) => void;
}

/** How long to wait until a terminated thread is gone. One that is stuck in the kernel stays. */
const EXIT_MS = 2_000;
const MIB = 1_048_576;
const LOSS_ID_BYTES = 16;

/** One worker thread, from its start until its end and the end of its actors. */
export class ShardThread implements Line {
  readonly index: number;
  readonly thread: number;
  readonly name: string;
  readonly channel: PortChannel;
  readonly calls: ControlCalls;
  readonly ended: Promise<void>;
  readonly #options: ThreadOptions;
  readonly #pool: Piscina;
  readonly #gone: Promise<void>;
  /** The loss of this thread counts once, however many of its actors are told of it. */
  readonly #lossId = randomHex(systemRandom, LOSS_ID_BYTES);
  readonly #placements = new Map<number, Placement>();
  #state: 'starting' | 'up' | 'ending' | 'ended' = 'starting';
  /** Why it was terminated, or why it said that it could not start. */
  #why: { readonly text: string; readonly cause?: ErrorEnvelope; readonly couldNotStart?: true } | undefined;
  readonly tally = new Tally();
  /** Messages that had been handled at the last check. */
  #handled = 0;
  /** Dead letters of the thread that it has told of. */
  #letters = 0;
  #pulse: Pulse;
  /** Whether anything came since the last check. */
  #isHeard = false;
  /** The next check or, before the thread is up, the limit of its start. */
  #cancelCheck: CancelTimer = () => undefined;

  constructor(options: ThreadOptions) {
    const { index, system, switchboard, module, heartbeat, resourceLimits } = options;
    this.index = index;
    this.name = `shard ${index}`;
    this.thread = switchboard.nextThread();
    this.#options = options;
    const mail = new MessageChannel();
    this.#pulse = heard(system.clock.monotonic());
    this.channel = new PortChannel({
      port: mail.port1,
      system,
      peer: this.name,
      placed: (id) => this.#placements.get(id)?.proxy,
      placedIdOf: () => undefined,
      // Only `ShardHost.tell` sends events.
      onEvent: (event) => this.#handle(event as WorkerEvent),
      onRoom: (id, hasRoom) => this.#placements.get(id)?.onRoom(hasRoom),
      onHeard: () => {
        this.#isHeard = true;
      },
      onDefect: (path, error) => options.onFailure(path, toEnvelope(error)),
      onLink: (op) => switchboard.obey(this, op),
      onExport: (ref, id) => switchboard.exported(this, ref, id),
    });
    // This may throw. Nothing that is still open must then keep the process.
    const encoded = this.#encoded(options.options);
    switchboard.add(this);
    this.#pool = new Piscina({
      filename: moduleBeside(import.meta.url, 'shard-main').href,
      name: 'runShard',
      // The pool starts a thread for the task and none besides: `Shard` replaces a thread that is lost, and the pool
      // must not.
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With atomics an idle worker blocks its event loop, and its last answers stay unsent.
      atomics: 'disabled',
      execArgv: [],
      resourceLimits,
    });
    // If the thread fails before it has taken the task, the task would wait for another thread.
    this.#pool.on('error', (error: unknown) => this.terminate(whyOf(error)));
    const control = new MessageChannel();
    this.calls = new ControlCalls(control.port1, system.clock);
    const init: ShardInit = {
      index,
      mail: mail.port2,
      control: control.port2,
      module: module.href,
      options: encoded,
      beatMs: heartbeat.beatMs,
      tally: this.tally.buffer,
    };
    this.ended = run(this.#pool, init, [mail.port2, control.port2]).then(
      () => this.#end(() => ({ kind: 'shutdown' })),
      (error: unknown) => this.#end(() => failureReason(this.#lost(error))),
    );
    // The pool has just started the thread for the task.
    this.#gone = goneOf(this.#pool.threads[0]);
    this.#cancelCheck = system.clock.timer(options.startMs, () => this.#startTooLong());
  }

  /** @throws MESSAGE_NOT_PLAIN */
  #encoded(options: unknown): EncodedMessage {
    try {
      return this.channel.encode(options, 'the options of shards');
    } catch (error) {
      this.channel.close({ kind: 'shutdown' });
      throw error;
    }
  }

  /** Actors on it, counting those that are about to be placed. */
  get actors(): number {
    return this.#placements.size;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Reserves a place for an actor. */
  reserve(proxy: Ref<never>, options: PlacedOptions): Placement {
    const { channel, calls } = this;
    const { switchboard } = this.#options;
    const started = (placement: Placement): void => switchboard.started(placement, this);
    const release = (placement: Placement): void => {
      this.#placements.delete(placement.actor);
      switchboard.ended(placement);
    };
    const deps = { shard: this.index, channel, calls, started, release };
    const placement = new Placement(this.#options.nextActor(), proxy, options, deps);
    this.#placements.set(placement.actor, placement);
    return placement;
  }

  /** Ends the thread at once, whatever it is doing. It then counts as lost. */
  terminate(text: string): void {
    if (this.#state === 'ending' || this.#state === 'ended') return;
    this.#state = 'ending';
    this.#why ??= { text };
    void this.#pool.destroy();
  }

  /** Stops its actors and then the thread. Resolves when the thread is gone. */
  async stop(timeoutMs: number): Promise<void> {
    try {
      await this.calls.call('shut down', timeoutMs + EXIT_MS, (shard) => shard.shutdown(timeoutMs));
    } catch {
      this.terminate('it did not end in time');
    }
    await this.ended;
  }

  #handle(event: WorkerEvent): void {
    switch (event.kind) {
      case 'beat':
        this.#checkBuffers(event.bufferBytes);
        return;
      case 'up':
        this.#up();
        return;
      case 'not-up':
        this.#why = { text: `it could not start: ${event.error.message}`, cause: event.error, couldNotStart: true };
        return;
      case 'said':
        this.#options.switchboard.said(this, event.marks);
        return;
      case 'peer-closed':
        this.#options.switchboard.closed(this, event.thread);
        return;
      case 'actor-ended':
        this.#placements.get(event.actor)?.onActorEnded(event.reason);
        return;
      case 'failed':
        this.#options.onFailure(event.path, event.error);
        return;
      case 'dead-letter':
        this.#letters += event.letter.count ?? 1;
        this.#options.system.deadLetters.add(event.letter);
        return;
    }
  }

  #up(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'up';
    this.#cancelCheck();
    this.#pulse = heard(this.#options.system.clock.monotonic());
    this.#checkLater();
    this.#options.onUp();
  }

  #checkLater(): void {
    const { system, heartbeat } = this.#options;
    this.#cancelCheck = system.clock.timer(msToNext(system.clock.monotonic(), heartbeat.beatMs), () => {
      const nowMs = system.clock.monotonic();
      // One that handles messages or starts actors is at work, although its beat may have to wait for them.
      const done = this.tally.shifted + this.tally.placed;
      const isAlive = this.#isHeard || done !== this.#handled;
      this.#handled = done;
      this.#pulse = isAlive ? heard(nowMs) : silent(this.#pulse, nowMs, heartbeat);
      this.#isHeard = false;
      if (isHung(this.#pulse, heartbeat)) this.terminate(`it hung: no sign of life for ${heartbeat.hangMs} ms`);
      else this.#checkLater();
    });
  }

  /** Node bounds the heap of a thread, but not its buffers. */
  #checkBuffers(bufferBytes: number): void {
    const { bufferMbMax } = this.#options;
    const bufferMb = Math.ceil(bufferBytes / MIB);
    if (bufferMb <= bufferMbMax) return;
    this.terminate(`it ran out of memory: its buffers have ${bufferMb} MB, and may have ${bufferMbMax}`);
  }

  #startTooLong(): void {
    const { startMs, module } = this.#options;
    this.terminate(
      `it did not start within ${startMs} ms: the module ${module.href} was not loaded, or not run, by then`,
    );
  }

  /** What the thread posted before its end is delivered first: it may say why the thread ended. */
  async #end(reasonOf: () => ExitReason): Promise<void> {
    this.#state = 'ending';
    this.#cancelCheck();
    // A task that never got a thread is still in the queue. `destroy` would reject its promise, which nobody has.
    if (this.#pool.queueSize === 0) void this.#pool.destroy();
    await this.#exited();
    this.channel.drain();
    const reason = reasonOf();
    this.#state = 'ended';
    this.#tellLost();
    this.#options.switchboard.gone(this, reason);
    this.channel.close(reason);
    this.calls.close(reason.kind === 'error' ? fromEnvelope(reason.error) : stopped(this.index));
    for (const placement of [...this.#placements.values()]) placement.onActorEnded(reason);
    this.#options.onEnded(reason);
  }

  /** What was on its way to or from the thread, or waited on it, is dead with it. Only numbers are known of it. */
  #tellLost(): void {
    const { system } = this.#options;
    // What was still to be posted is lost like all that was: it is counted here, and nowhere else.
    this.channel.flush();
    const { received, pushed, shifted, told, letters } = this.tally;
    const inbound = Math.max(0, this.channel.counts.sent - received) + Math.max(0, pushed - shifted);
    // All that had left the thread was received before.
    const outbound = Math.max(0, told - this.channel.counts.received);
    const shard = this.name;
    const add = (from: string, to: string, count: number): void => {
      if (count === 0) return;
      const message = `${count} messages that were lost with ${shard}`;
      system.deadLetters.add({ from, to, message, why: 'lost', ...(count === 1 ? {} : { count }) });
    };
    add('-', shard, inbound + Math.max(0, letters - this.#letters));
    add(shard, '-', outbound);
  }

  /** Waits until the thread is gone, so that none of its actors can live on two shards. */
  async #exited(): Promise<void> {
    let cancel: CancelTimer = () => undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.#options.system.clock.timer(EXIT_MS, resolve);
    });
    await Promise.race([this.#gone, limit]);
    cancel();
  }

  #lost(error: unknown): ShoalError {
    const { text, cause, couldNotStart } = this.#why ?? { text: whyOf(error), cause: toEnvelope(error) };
    return new ShoalError('SHARD_LOST', `shard ${this.index} is lost: ${text}`, {
      details: {
        shard: this.index,
        why: text,
        actors: this.#placements.size,
        ...(couldNotStart === undefined ? {} : { couldNotStart }),
        lossId: this.#lossId,
      },
      ...(cause === undefined ? {} : { cause: fromEnvelope(cause) }),
    });
  }
}

/** The pool throws if the system refuses it a thread (EAGAIN). Such a thread is lost like any other. */
async function run(pool: Piscina, init: ShardInit, transferList: readonly MessagePort[]): Promise<void> {
  await pool.run(init, { transferList: [...transferList] });
}

function whyOf(error: unknown): string {
  if (isRefused(error)) return 'the system refused its thread (EAGAIN); raise `ulimit -u`, or TasksMax of the service';
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return 'it ran out of memory';
  const message = messageOf(error);
  const exitCode = /^worker exited with code: (\d+)$/.exec(message)?.[1];
  return exitCode === undefined ? `it threw: ${message}` : `its thread ended with exit code ${exitCode}`;
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === 'ERR_WORKER_INIT_FAILED' && error.message.includes('EAGAIN');
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
