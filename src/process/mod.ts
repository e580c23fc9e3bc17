export { boundFile, LOG_BYTES_MAX, readTail } from './bounded-file.ts';
export { TEMPORARY_SUFFIX, writeAtomic, writeDurable } from './durable-write.ts';
export { findByArgument } from './find-process.ts';
export { bootId, cpuDemandMsOf, identify, isAlive, signalProcess, whenGone } from './identity.ts';
export type { Launcher, LauncherOptions } from './launcher.ts';
export { createLauncher } from './launcher.ts';
export type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';
export type { SpawnerMessage, SpawnOutcome } from './spawner-actor.ts';
export { SpawnDesk, spawnerBehind } from './spawner-actor.ts';
