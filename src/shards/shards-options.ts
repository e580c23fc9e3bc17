import {
  type ActorSystem,
  ANYTHING,
  CAPACITY,
  checked,
  checkOptions,
  FUNCTION,
  MS_ABOVE_0,
  MS_FROM_0,
  numberRule,
  objectWith,
  type Rules,
  required,
  rule,
  TEXT,
  WHOLE_FROM_1,
} from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { PlacedOptions } from './control.ts';
import { BEAT_MS, HANG_MS } from './heartbeat.ts';
import type { BehavioursFunction, OptionsOf } from './module.ts';

export interface ShardsOptions<B extends BehavioursFunction> {
  readonly system: ActorSystem;
  /** How many worker threads. */
  readonly count: number;
  /** A module that exports `behaviours` (`moduleBeside` gives its address); each thread loads it. */
  readonly module: URL;
  /** What each thread passes to `behaviours`. */
  readonly options: OptionsOf<B>;
  /** How long a thread may be silent before it counts as hung; default 2000. */
  readonly hangMs?: number;
  /** How often a thread sends a heartbeat; default 500. */
  readonly beatMs?: number;
  /** How long the start of a thread may take; default 30000. */
  readonly startMs?: number;
  /** The heap that a thread may use, in MB; default 512. */
  readonly heapMbMax?: number;
  /** The memory outside of the heap that a thread may use for array buffers, in MB; default 512. */
  readonly bufferMbMax?: number;
  readonly onEvent?: (event: ShardEvent) => void;
  /** An actor failed that has no proxy: it was spawned by a placed one. Default: the logger of the system. */
  readonly onFailure?: (path: string, error: ErrorEnvelope) => void;
}

export type ShardEvent =
  | { readonly kind: 'shard-up'; readonly shard: number }
  /** The ends of its actors have been reported, and a fresh thread is to start. */
  | { readonly kind: 'shard-lost'; readonly shard: number; readonly error: ErrorEnvelope };

export interface ActorOptions extends PlacedOptions {
  /** Told the shard each time that the actor is placed. */
  readonly onPlaced?: (shard: number) => void;
}

/** Below about half of this, V8 ends the whole process instead of the thread. */
const HEAP_MB_MIN = 16;

const SHARDS_RULES: Rules<ShardsOptions<BehavioursFunction>> = {
  system: required(objectWith('spawn', 'start', 'logFailure')),
  count: required(WHOLE_FROM_1),
  module: required(rule('a URL, such as `moduleBeside(import.meta.url, name)`', (value) => value instanceof URL)),
  options: ANYTHING,
  hangMs: MS_ABOVE_0,
  beatMs: numberRule('a number of milliseconds above 0', (ms) => ms > 0 && Number.isFinite(ms)),
  startMs: MS_ABOVE_0,
  heapMbMax: numberRule(
    `a number of megabytes from ${HEAP_MB_MIN} up`,
    (mb) => mb >= HEAP_MB_MIN && Number.isFinite(mb),
  ),
  bufferMbMax: numberRule('a number of megabytes above 0', (mb) => mb > 0),
  onEvent: FUNCTION,
  onFailure: FUNCTION,
};

const OVERFLOWS: readonly unknown[] = ['fail', 'drop-oldest', 'drop-newest'];

const ACTOR_RULES: Rules<ActorOptions> = {
  capacity: CAPACITY,
  overflow: rule('fail, drop-oldest or drop-newest', (value) => OVERFLOWS.includes(value)),
  stopTimeoutMs: MS_FROM_0,
  onPlaced: FUNCTION,
};

/** @throws CONFIG_VALUE */
export function checkShardsOptions<B extends BehavioursFunction>(options: ShardsOptions<B>): void {
  checkOptions('shards', options, SHARDS_RULES);
  const { beatMs = BEAT_MS, hangMs = HANG_MS } = options;
  const expected = `above \`beatMs\` (${beatMs}), or each shard would count as hung`;
  checked(
    'hangMs',
    hangMs,
    numberRule(expected, (ms) => ms > beatMs),
  );
}

/** @throws CONFIG_VALUE */
export function checkActorOptions(behaviour: string, options: ActorOptions): void {
  checked('behaviour', behaviour, TEXT);
  checkOptions('an actor on a shard', options, ACTOR_RULES);
}
