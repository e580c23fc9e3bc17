export type { PlacedOptions, WorkerStats } from './control.ts';
export { MISHAPS } from './mishap.ts';
export type { ArgsOf, BehavioursFunction, MessageOf, NameOf, OptionsOf, ShardHome } from './module.ts';
export { moduleBeside } from './module.ts';
export { checkPlain } from './parcel.ts';
export type { ActorOptions, PlacedActor, ShardEvent, ShardStats, Shards, ShardsOptions } from './shards.ts';
export { createShards } from './shards.ts';
