export { boundFile, LOG_BYTES_MAX, readTail } from './bounded-file.ts';
export { renameDurable, TEMPORARY_SUFFIX, writeAtomic, writeDurable } from './durable-write.ts';
export { FileLock } from './file-lock.ts';
export { findByArgument, processesWith } from './find-process.ts';
export type { Liveness } from './identity.ts';
export {
  bootId,
  checkProc,
  cpuDemandMsOf,
  cpuUsedMsOf,
  identify,
  isAlive,
  isProcessIdentity,
  probe,
  signalProcess,
  whenGone,
} from './identity.ts';
export { closeInheritedFiles } from './inherited-files.ts';
export { inodeOf } from './inode.ts';
export { isProgram } from './is-program.ts';
export { isOnTmpfs } from './is-tmpfs.ts';
export type { Launcher, LauncherOptions } from './launcher.ts';
export { createLauncher } from './launcher.ts';
export { makeFolder } from './make-folder.ts';
export { checkOpenFiles, openFilesMax, vmsWithinOpenFiles } from './open-files.ts';
export type { ProcessUse } from './process-limit.ts';
export { processLimit, processShortage } from './process-limit.ts';
export type { ProcessExit, ProcessIdentity, Spawner, SpawnRequest } from './spawner.ts';
export type { SpawnerMessage, SpawnOutcome } from './spawner-actor.ts';
export { SpawnService, spawnerBehind } from './spawner-actor.ts';
export { saysGone, whileThere } from './while-there.ts';
