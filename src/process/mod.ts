export { boundFile, LOG_BYTES_MAX, readTail } from './bounded-file.ts';
export { TEMPORARY_SUFFIX, writeDurable } from './durable-write.ts';
export { bootId, identify, isAlive, signalProcess, whenGone } from './identity.ts';
export type { Launcher, LauncherOptions } from './launcher.ts';
export { createLauncher } from './launcher.ts';
export type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';
