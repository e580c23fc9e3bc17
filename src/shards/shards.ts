import type { ActorSystem, Behaviour, Mailbox, Ref } from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, ShoalError } from '../errors.ts';
import { CheckedMailbox } from './checked-mailbox.ts';
import type { PlacedOptions, WorkerStats } from './control.ts';
import { BEAT_MS } from './heartbeat.ts';
import type { ArgsOf, BehavioursFunction, MessageOf, NameOf, OptionsOf } from './module.ts';
import type { Seat } from './seat.ts';
import { Shard } from './shard.ts';
import { ShardThread } from './shard-thread.ts';
import { standIn } from './stand-in.ts';

export interface ShardsOptions<B extends BehavioursFunction> {
  readonly system: ActorSystem;
  /** Worker threads. */
  readonly count: number;
  /** A module that exports `behaviours` (`moduleBeside` gives its address); each thread loads it. */
  readonly module: URL;
  /** What `behaviours` is called with on each thread. */
  readonly options: OptionsOf<B>;
  /** Silence after which a thread counts as hung; default 2000. */
  readonly hangMs?: number;
  /** How often a thread says that it is there; default 250. */
  readonly beatMs?: number;
  /** From the start of a thread until it can be given actors; default 30000. */
  readonly startMs?: number;
  /** What a thread may use of the heap; default 512 MB. */
  readonly heapMbMax?: number;
  readonly onEvent?: (news: ShardEvent) => void;
  /** An actor failed that no stand-in stands for. */
  readonly onFailure?: (path: string, error: ErrorEnvelope) => void;
}

export type ShardEvent =
  | { readonly kind: 'shard-up'; readonly shard: number }
  /** Its actors have been told, and a fresh thread is on its way. */
  | { readonly kind: 'shard-lost'; readonly shard: number; readonly error: ErrorEnvelope };

export interface ActorOptions extends PlacedOptions {
  /** Told on which shard the actor is, each time that it is placed. */
  readonly onPlaced?: (shard: number) => void;
}

/** What a spawn, or the spec of a child, needs to put an actor on a shard: `child({ id, ...shards.actor('name', args) })`. */
export interface PlacedActor<M> extends PlacedOptions {
  readonly start: Behaviour<M>;
  readonly mailbox: <T>() => Mailbox<T>;
}

export interface ShardStats {
  readonly shard: number;
  readonly state: 'up' | 'down';
  /** Threads that this shard has lost. */
  readonly lost: number;
  /** Undefined of one that is down or does not answer. */
  readonly worker: WorkerStats | undefined;
}

/** Worker threads that actors live on. */
export interface Shards<B extends BehavioursFunction> {
  readonly count: number;
  /**
   * An actor on the shard that has the fewest when it starts: by the name of its behaviour in the module, and arguments, which are plain
   * data and refs; a function that returns them is asked anew at each start.
   */
  actor<K extends NameOf<B>>(
    behaviour: K,
    args: ArgsOf<B, K> | (() => ArgsOf<B, K> | Promise<ArgsOf<B, K>>),
    options?: ActorOptions,
  ): PlacedActor<MessageOf<B, K>>;
  stats(): Promise<readonly ShardStats[]>;
  /** Ends a thread at once, as if it had hung; a fresh one takes its place. @returns false if it is not up */
  replace(shard: number, why: string): boolean;
  /** Harms a thread, for tests: needs `SHOAL_TEST_MISHAPS=1` in the environment. */
  mishap(shard: number, how: string): Promise<void>;
  /** Ends all actors on shards and the threads with them. */
  stop(timeoutMs?: number): Promise<void>;
}

/** The threads are started at once; an actor that is placed before one is up waits for it. */
export function createShards<B extends BehavioursFunction>(options: ShardsOptions<B>): Shards<B> {
  return new ThreadShards<B>(options);
}

const HANG_MS = 2_000;
const START_MS = 30_000;
const HEAP_MB_MAX = 512;
const CALL_MS = 2_000;
const STOP_MS = 10_000;
/** How long an actor waits for a shard to be placed on. */
const TAKE_MS = 30_000;

class ThreadShards<B extends BehavioursFunction> implements Shards<B> {
  readonly count: number;
  readonly #options: ShardsOptions<B>;
  readonly #tell: (news: ShardEvent) => void;
  readonly #shards: readonly Shard[];
  readonly #waiting = new Set<() => void>();
  /** Shards that have not come up, or failed at it, for the first time: until then the first to be up would get all actors. */
  readonly #young: Set<number>;
  #lastActor = 0;
  #stopped = false;

  constructor(options: ShardsOptions<B>) {
    const { count, system } = options;
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new ShoalError('CONFIG_VALUE', `Expected \`count\` to be a whole number from 1 up, got \`${count}\``);
    }
    this.count = count;
    this.#options = options;
    this.#tell = guarded(options.onEvent);
    this.#young = new Set(Array.from({ length: count }, (_, index) => index));
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
    { onPlaced, ...options }: ActorOptions = {},
  ): PlacedActor<MessageOf<B, K>> {
    const start = standIn<MessageOf<B, K>>({
      behaviour,
      // Arguments are plain data, so what can be called returns them.
      args: typeof args === 'function' ? (args as () => unknown) : () => args,
      options,
      onPlaced,
      take: (self, placedOptions, signal) => this.#take(self, placedOptions, signal),
    });
    return { ...options, start, mailbox: <T>() => new CheckedMailbox<T>() };
  }

  stats(): Promise<readonly ShardStats[]> {
    return Promise.all(this.#shards.map(statsOf));
  }

  replace(shard: number, why: string): boolean {
    const thread = this.#shards[shard]?.open;
    thread?.terminate(why);
    return thread !== undefined;
  }

  async mishap(shard: number, how: string): Promise<void> {
    const thread = this.#shards[shard]?.open;
    if (thread === undefined) throw unavailable(`shard ${shard} is not up`);
    try {
      await thread.calls.call('have a mishap', CALL_MS, (remote) => remote.mishap(how));
    } catch (error) {
      // It has had it before it could say so.
      const code = codeOf(error);
      if (code !== 'SHARD_LOST' && code !== 'SHARD_CALL_TIMEOUT') throw error;
    }
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await Promise.all(this.#shards.map((shard) => shard.stop(timeoutMs)));
  }

  #startThread(events: Pick<ConstructorParameters<typeof ShardThread>[0], 'index' | 'onUp' | 'onEnded'>): ShardThread {
    const { system, module, options, hangMs, beatMs, startMs, heapMbMax, onFailure } = this.#options;
    return new ShardThread({
      ...events,
      system,
      module,
      options,
      heartbeat: { beatMs: beatMs ?? BEAT_MS, hangMs: hangMs ?? HANG_MS },
      startMs: startMs ?? START_MS,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax ?? HEAP_MB_MAX },
      nextActor: () => --this.#lastActor,
      onFailure: guarded(onFailure),
    });
  }

  #up(shard: number): void {
    this.#young.delete(shard);
    this.#wake();
    this.#tell({ kind: 'shard-up', shard });
  }

  #lost(shard: number, error: ErrorEnvelope): void {
    this.#young.delete(shard);
    this.#wake();
    this.#tell({ kind: 'shard-lost', shard, error });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const look of waiting) look();
  }

  /** The place is taken in the same breath in which it is chosen: many may be waiting for a shard to come up. */
  #take(self: Ref<never>, options: PlacedOptions, signal: AbortSignal): Promise<Seat> {
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
        const shard = this.#young.size > 0 ? undefined : leastBusy(this.#shards);
        if (shard === undefined) this.#waiting.add(look);
        else settle(() => resolve(shard.seat(self, options)));
      };
      const cancel = clock.timer(TAKE_MS, () =>
        settle(() => reject(unavailable(`none of ${this.count} came up within ${TAKE_MS} ms`))),
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
  // One that hangs is found out soon; who asks meanwhile is not kept waiting for it.
  const worker = await thread.calls.call('tell its stats', CALL_MS, (remote) => remote.stats()).catch(() => undefined);
  return { shard: index, state: 'up', lost, worker };
}

/** What a listener throws must not end the thread that happened to call it: the main one. Node reports it as a warning. */
function guarded<A extends unknown[]>(listener: ((...args: A) => void) | undefined): (...args: A) => void {
  return (...args) => {
    try {
      listener?.(...args);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'ShoalListenerWarning');
    }
  };
}

function unavailable(why: string): ShoalError {
  return new ShoalError('SHARD_UNAVAILABLE', `No shard takes an actor: ${why}`);
}
