export { transfer } from '../actors/mod.ts';
export type { PlacedOptions, WorkerStats } from './control.ts';
export { SHARD_FAULTS } from './fault.ts';
export { checkPlain } from './message-codec.ts';
export type { ArgsOf, BehavioursFunction, MessageOf, NameOf, OptionsOf, ShardHome } from './module.ts';
export { moduleBeside } from './module.ts';
export type { PlacedActor, ShardStats, Shards } from './shards.ts';
export { createShards } from './shards.ts';
export type { ActorOptions, ShardEvent, ShardsOptions } from './shards-options.ts';
