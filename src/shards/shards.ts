import { type Behaviour, checked, type Mailbox, MS_FROM_0, numberRule, type Ref, safe, TEXT } from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, ShoalError } from '../errors.ts';
import { CheckedMailbox } from './checked-mailbox.ts';
import type { PlacedOptions, WorkerStats } from './control.ts';
import { BEAT_MS, HANG_MS } from './heartbeat.ts';
import type { ArgsOf, BehavioursFunction, MessageOf, NameOf } from './module.ts';
import type { Placement } from './placement.ts';
import { proxy } from './proxy.ts';
import { Shard } from './shard.ts';
import { ShardThread } from './shard-thread.ts';
import {
  type ActorOptions,
  checkActorOptions,
  checkShardsOptions,
  type ShardEvent,
  type ShardsOptions,
} from './shards-options.ts';
import { Switchboard } from './switchboard.ts';

/**
 * What `spawn` or the spec of a child needs for an actor on a shard: `child({ id, ...shards.actor('name', args) })`.
 */
export interface PlacedActor<M> extends PlacedOptions {
  readonly start: Behaviour<M>;
  readonly mailbox: <T>() => Mailbox<T>;
}

export interface ShardStats {
  readonly shard: number;
  readonly state: 'up' | 'down';
  /** How many threads this shard has lost. */
  readonly lost: number;
  /** Undefined while the shard is down or does not answer. */
  readonly worker: WorkerStats | undefined;
}

/** Worker threads that actors live on. */
export interface Shards<B extends BehavioursFunction> {
  readonly count: number;
  /**
   * An actor that lives on the shard with the fewest actors at its start.
   * @param behaviour the name of its behaviour in the module
   * @param args plain data and refs; a function that returns them is called at each start
   */
  actor<K extends NameOf<B>>(
    behaviour: K,
    args: ArgsOf<B, K> | (() => ArgsOf<B, K> | Promise<ArgsOf<B, K>>),
    options?: ActorOptions,
  ): PlacedActor<MessageOf<B, K>>;
  stats(): Promise<readonly ShardStats[]>;
  /** Ends a thread at once, as if it had hung. A fresh one takes its place. @returns false if the shard is not up */
  replace(shard: number, why: string): boolean;
  /** Harms a thread, for tests: needs `SHOAL_TEST_FAULTS=1` in the environment. */
  injectFault(shard: number, fault: string): Promise<void>;
  /** Stops all actors on shards, and then the threads. */
  stop(timeoutMs?: number): Promise<void>;
}

/** Starts the threads. An actor that is placed before one is up waits for it. @throws CONFIG_VALUE */
export function createShards<B extends BehavioursFunction>(options: ShardsOptions<B>): Shards<B> {
  checkShardsOptions(options);
  return new ThreadShards<B>(options);
}

const INDEX = numberRule('the number of a shard, from 0 up', (shard) => Number.isSafeInteger(shard) && shard >= 0);
const START_MS = 30_000;
const HEAP_MB_MAX = 512;
const BUFFER_MB_MAX = 512;
const CALL_MS = 2_000;
const STOP_MS = 10_000;
/** How long an actor waits for a shard that is up. */
const RESERVE_MS = 30_000;

class ThreadShards<B extends BehavioursFunction> implements Shards<B> {
  readonly count: number;
  readonly #options: ShardsOptions<B>;
  readonly #tell: (event: ShardEvent) => void;
  readonly #failed: (path: string, error: ErrorEnvelope) => void;
  readonly #switchboard: Switchboard;
  readonly #shards: readonly Shard[];
  readonly #waiting = new Set<() => void>();
  /**
   * Shards whose first start is still under way. Actors wait for all of them, or the first shard that is up would get
   * all actors.
   */
  readonly #starting: Set<number>;
  /** Why the last thread of a shard could not start, by its index; none for a shard that has been up. */
  readonly #cannotStart = new Map<number, ErrorEnvelope>();
  #lastActor = 0;
  #stopped = false;

  constructor(options: ShardsOptions<B>) {
    const { count, system } = options;
    this.count = count;
    this.#options = options;
    this.#tell = safe(options.onEvent ?? (() => undefined));
    this.#switchboard = new Switchboard(system);
    this.#failed = safe(options.onFailure ?? system.logFailure);
    this.#starting = new Set(Array.from({ length: count }, (_, index) => index));
    this.#shards = Array.from(
      { length: count },
      (_, index) =>
        new Shard({
          index,
          clock: system.clock,
          start: (events) => this.#startThread(events),
          onUp: () => this.#up(index),
          onLost: (error) => this.#lost(index, error),
        }),
    );
  }

  actor<K extends NameOf<B>>(
    behaviour: K,
    args: ArgsOf<B, K> | (() => ArgsOf<B, K> | Promise<ArgsOf<B, K>>),
    actorOptions: ActorOptions = {},
  ): PlacedActor<MessageOf<B, K>> {
    checkActorOptions(behaviour, actorOptions);
    const { onPlaced, ...options } = actorOptions;
    const start = proxy<MessageOf<B, K>>({
      behaviour,
      // Arguments are plain data, so a function is never an argument itself.
      args: typeof args === 'function' ? (args as () => unknown) : () => args,
      options,
      onPlaced,
      reserve: (self, placedOptions, signal) => this.#reserve(self, placedOptions, signal),
    });
    return { ...options, start, mailbox: <T>() => new CheckedMailbox<T>() };
  }

  stats(): Promise<readonly ShardStats[]> {
    return Promise.all(this.#shards.map(statsOf));
  }

  replace(shard: number, why: string): boolean {
    checked('shard', shard, INDEX);
    checked('why', why, TEXT);
    const thread = this.#shards[shard]?.open;
    thread?.terminate(why);
    return thread !== undefined;
  }

  async injectFault(shard: number, fault: string): Promise<void> {
    checked('shard', shard, INDEX);
    const thread = this.#shards[shard]?.open;
    if (thread === undefined) throw unavailable(`shard ${shard} is not up`);
    try {
      await thread.calls.call('cause a fault', CALL_MS, (remote) => remote.injectFault(fault));
    } catch (error) {
      // The fault came before the answer.
      const code = codeOf(error);
      if (code !== 'SHARD_LOST' && code !== 'SHARD_CALL_TIMEOUT') throw error;
    }
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    checked('timeoutMs', timeoutMs, MS_FROM_0);
    this.#stopped = true;
    this.#wake();
    await Promise.all(this.#shards.map((shard) => shard.stop(timeoutMs)));
  }

  #startThread(events: Pick<ConstructorParameters<typeof ShardThread>[0], 'index' | 'onUp' | 'onEnded'>): ShardThread {
    const { system, module, options, hangMs, beatMs, startMs, heapMbMax, bufferMbMax } = this.#options;
    return new ShardThread({
      ...events,
      system,
      switchboard: this.#switchboard,
      module,
      options,
      heartbeat: { beatMs: beatMs ?? BEAT_MS, hangMs: hangMs ?? HANG_MS },
      startMs: startMs ?? START_MS,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax ?? HEAP_MB_MAX },
      bufferMbMax: bufferMbMax ?? BUFFER_MB_MAX,
      nextActor: () => --this.#lastActor,
      onFailure: this.#failed,
    });
  }

  #up(shard: number): void {
    this.#starting.delete(shard);
    this.#cannotStart.delete(shard);
    this.#wake();
    this.#tell({ kind: 'shard-up', shard });
  }

  #lost(shard: number, error: ErrorEnvelope): void {
    this.#starting.delete(shard);
    if (error.details['couldNotStart'] === true) this.#cannotStart.set(shard, error);
    this.#wake();
    this.#tell({ kind: 'shard-lost', shard, error });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const look of waiting) look();
  }

  /** A place is reserved as soon as its shard is chosen, because many actors may wait for the same shard. */
  #reserve(self: Ref<never>, options: PlacedOptions, signal: AbortSignal): Promise<Placement> {
    const { clock } = this.#options.system;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        cancel();
        this.#waiting.delete(look);
        signal.removeEventListener('abort', aborted);
        finish();
      };
      const aborted = (): void =>
        settle(() => reject(new ShoalError('ACTOR_STOPPED', 'stopped while it waited for a shard')));
      const look = (): void => {
        if (this.#stopped) return settle(() => reject(unavailable('the shards have been stopped')));
        const shard = this.#starting.size > 0 ? undefined : leastBusy(this.#shards);
        const [cause] = this.#cannotStart.values();
        // Whatever is at fault, such as the module: another thread will not start either.
        if (cause !== undefined && this.#cannotStart.size === this.count) {
          return settle(() => reject(cannotStart(cause)));
        }
        if (shard === undefined) this.#waiting.add(look);
        else settle(() => resolve(shard.reserve(self, options)));
      };
      const cancel = clock.timer(RESERVE_MS, () =>
        settle(() => reject(unavailable(`none of ${this.count} came up within ${RESERVE_MS} ms`))),
      );
      signal.addEventListener('abort', aborted);
      if (signal.aborted) aborted();
      else look();
    });
  }
}

/** Ties go to the first. */
function leastBusy(shards: readonly Shard[]): ShardThread | undefined {
  const open = shards.flatMap((shard) => shard.open ?? []);
  return open.reduce<ShardThread | undefined>(
    (best, thread) => (best === undefined || thread.actors < best.actors ? thread : best),
    undefined,
  );
}

async function statsOf(shard: Shard): Promise<ShardStats> {
  const thread = shard.open;
  const { index, lost } = shard;
  if (thread === undefined) return { shard: index, state: 'down', lost, worker: undefined };
  // A shard that hangs is soon found out; until then its stats are missing.
  const worker = await thread.calls.call('tell its stats', CALL_MS, (remote) => remote.stats()).catch(() => undefined);
  return { shard: index, state: 'up', lost, worker };
}

/** Why no thread can start: a module that cannot be used says so by its own error. */
function cannotStart(lost: ErrorEnvelope): Error {
  const { cause } = lost;
  return cause?.code === 'SHARD_MODULE' ? fromEnvelope(cause) : unavailable(lost.message, fromEnvelope(lost));
}

function unavailable(why: string, cause?: Error): ShoalError {
  return new ShoalError('SHARD_UNAVAILABLE', `No shard takes an actor: ${why}`, { cause });
}
