import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../actors/mod.ts';
import { messageOf } from '../../errors.ts';
import type { VmId } from '../../fleet/mod.ts';
import {
  findByArgument,
  isAlive,
  type ProcessIdentity,
  processesWith,
  saysGone,
  TEMPORARY_SUFFIX,
} from '../../process/mod.ts';
import type { Found, Manifest } from '../port.ts';
import { checkUuid, readManifest, writeManifest } from './manifest.ts';
import { processOf } from './process-of.ts';
import { Qmp } from './qmp.ts';
import { type RunPaths, removeRunDirectory, runPaths } from './run-directory.ts';
import { connectUnix, isListening } from './unix-socket.ts';

/**
 * Finds the VMs of a fleet by their run directories and by the processes that name one. A VM counts as gone only if
 * its process is not there; whatever cannot be read or identified is unknown.
 */
export class Inventory {
  readonly #directory: string;
  readonly #clock: Clock;
  /** Time limit for the greeting of a monitor that another client may hold. */
  readonly #monitorTimeoutMs: number;

  constructor(fleetDirectory: string, clock: Clock, monitorTimeoutMs: number) {
    this.#directory = fleetDirectory;
    this.#clock = clock;
    this.#monitorTimeoutMs = monitorTimeoutMs;
  }

  /** @throws if the fleet's directory or /proc cannot be read */
  async list(): Promise<readonly Found[]> {
    const names = (await namesIn(this.#directory)) ?? [];
    // At once: each may take the whole time limit of a monitor that does not answer.
    const found = await Promise.all(names.toSorted().map((name) => this.#look(name)));
    const orphans = await Promise.all(
      this.#vmsOfProcesses().map((vm) => (names.includes(String(vm)) ? undefined : this.find(vm))),
    );
    return [...found, ...orphans].filter((one) => one !== undefined);
  }

  /** @throws if /proc cannot be read */
  async find(vm: VmId): Promise<Found | undefined> {
    return this.#look(String(vm));
  }

  async #look(name: string): Promise<Found | undefined> {
    const directory = join(this.#directory, name);
    const vm = vmOfName(name);
    if (vm === undefined) return { kind: 'unknown', directory, vm, why: 'its name is not the id of a VM' };
    const paths = runPaths(this.#directory, vm);
    try {
      const manifest = await manifestIn(paths);
      return manifest === undefined
        ? await this.#withoutManifest(vm, paths)
        : await this.#identify(manifest, vm, paths);
    } catch (error) {
      return { kind: 'unknown', directory, vm, why: messageOf(error) };
    }
  }

  /**
   * Either its maker died before it wrote the manifest, and so before any start; or somebody removed the manifest,
   * perhaps with the directory.
   */
  async #withoutManifest(vm: VmId, paths: RunPaths): Promise<Found | undefined> {
    const process = findByArgument(paths.pid);
    // Another thread may be making a VM of it.
    const manifest = await manifestIn(paths);
    if (manifest !== undefined) return this.#identify(manifest, vm, paths);
    if (process !== undefined) return { kind: 'orphan', vm, directory: paths.directory, process };
    return (await removedAsEmpty(paths.directory)) ? undefined : { kind: 'gone', vm };
  }

  async #identify(manifest: Manifest, vm: VmId, paths: RunPaths): Promise<Found> {
    const { directory } = paths;
    if (manifest.spec.vm !== vm)
      return { kind: 'unknown', directory, vm, why: `its manifest is of VM ${manifest.spec.vm}` };
    const process = processOf(manifest);
    if (process === undefined) {
      // Processes of another PID namespace cannot be seen.
      if (!(await isListening(paths.qmp))) return { kind: 'gone', vm };
      const why =
        'its process cannot be seen from here, and its monitor is still served: it may run in another container';
      return { kind: 'unknown', directory, vm, why };
    }
    try {
      await this.#proveUuid(manifest, process, paths);
    } catch (error) {
      if (!isAlive(process)) return { kind: 'gone', vm };
      const why = `process ${process.pid} cannot be identified: ${messageOf(error)}`;
      return { kind: 'unknown', directory, vm, why };
    }
    // By now QEMU is up. When it was looked for, its wrapper may not have started it yet.
    const confirmed: Manifest = { ...manifest, process: processOf(manifest) ?? process };
    // Its maker died before it could note the pid.
    if (manifest.process === undefined) tryToWrite(paths, confirmed);
    return { kind: 'running', manifest: confirmed };
  }

  async #proveUuid(manifest: Manifest, process: ProcessIdentity, paths: RunPaths): Promise<void> {
    const timeoutMs = this.#monitorTimeoutMs;
    const socket = await connectUnix(paths.qmp, timeoutMs, this.#clock, () => isAlive(process));
    const qmp = await Qmp.open(socket, timeoutMs, this.#clock);
    try {
      checkUuid(paths.qmp, manifest, await qmp.command('query-uuid', undefined, timeoutMs));
    } finally {
      qmp.close();
    }
  }

  /** The VMs whose processes name a run directory of this fleet, whether it is still there or not. */
  #vmsOfProcesses(): readonly VmId[] {
    const processes = processesWith((argument) => this.#vmOfPidFile(argument) !== undefined);
    // A wrapper has the same arguments as the QEMU that it started.
    return [...new Set([...processes].flatMap(({ argument }) => this.#vmOfPidFile(argument) ?? []))];
  }

  #vmOfPidFile(path: string): VmId | undefined {
    if (!path.startsWith(`${this.#directory}/`)) return undefined;
    const vm = vmOfName(path.split('/').at(-2) ?? '');
    return vm !== undefined && runPaths(this.#directory, vm).pid === path ? vm : undefined;
  }
}

function vmOfName(name: string): VmId | undefined {
  const vm = Number(name);
  return Number.isSafeInteger(vm) && vm >= 0 && String(vm) === name ? vm : undefined;
}

/** Undefined if there is none. @throws MANIFEST_INVALID, or whatever keeps it from being read */
async function manifestIn(paths: RunPaths): Promise<Manifest | undefined> {
  try {
    return await readManifest(paths.manifest);
  } catch (error) {
    if (saysGone(error)) return undefined;
    throw error;
  }
}

/** Undefined if there is no such directory. @throws if it cannot be read */
async function namesIn(directory: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (saysGone(error)) return undefined;
    throw error;
  }
}

/** Removes a directory with nothing of use in it. @returns whether there is none any more */
async function removedAsEmpty(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  if (names === undefined) return true;
  if (!names.every((name) => name.endsWith(TEMPORARY_SUFFIX))) return false;
  try {
    await (names.length === 0 ? rmdir(directory) : removeRunDirectory(directory));
    return true;
  } catch (error) {
    // Another thread has made a VM of it meanwhile, or has removed it.
    if ((await namesIn(directory)) === undefined) return true;
    throw error;
  }
}

/**
 * Without the note the next look finds the process by its uuid again, so a failure is no reason to leave the VM
 * alone.
 */
function tryToWrite(paths: RunPaths, manifest: Manifest): void {
  try {
    writeManifest(paths.manifest, manifest);
  } catch {
    return;
  }
}
