import {
  ANYTHING,
  checked,
  checkOptions,
  FUNCTION,
  MS_ABOVE_0,
  MS_FROM_0,
  NUMBER_FROM_0,
  numberRule,
  objectWith,
  type Rules,
  required,
  rule,
  TEXT,
  WHOLE_FROM_1,
} from '../actors/mod.ts';
import { BEAT_MS, HANG_MS } from './heartbeat.ts';
import type { BehavioursFunction } from './module.ts';
import type { ActorOptions, ShardsOptions } from './shards.ts';

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
  capacity: NUMBER_FROM_0,
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
