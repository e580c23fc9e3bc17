import { randomUUID } from 'node:crypto';
import { statfsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Clock } from '../../actors/mod.ts';
import { codeOf, ShoalError } from '../../errors.ts';
import { formatAddress } from '../../fleet/mod.ts';
import {
  bootId,
  type ProcessExit,
  type ProcessIdentity,
  processesWith,
  processLimit,
  readTail,
  type Spawner,
  type SpawnRequest,
  signalProcess,
  whenGone,
} from '../../process/mod.ts';
import { BWRAP, bwrapArgs, FILTER_FD } from '../confinement/bwrap.ts';
import { filesOfQemu, firmwareOfQemu, realProgram } from '../confinement/program-files.ts';
import { qemuFilter } from '../confinement/qemu-syscalls.ts';
import { type VmUsers, vmUsers } from '../confinement/vm-users.ts';
import type { MachineSpec, Manifest, QemuBuild } from '../port.ts';
import { usesOwnFirmware } from '../profile/profile.ts';
import { profileOf } from '../profile/shipped.ts';
import { buildArgv, userOfVm } from './argv.ts';
import { bounded, couldNotRun } from './bounded.ts';
import { type Cgroups, capsOf } from './cgroup.ts';
import { FIRMWARE } from './firmware.ts';
import { qemuMissing } from './host-tools.ts';
import { digestOfArgv, versionOf, writeManifest } from './manifest.ts';
import { type RunPaths, removeRunDirectory } from './run-directory.ts';

const KILL_TIMEOUT_MS = 5_000;
const EXIT_MOMENT_MS = 1_000;
const STDERR_TAIL_BYTES = 2_000;

export interface PreparationOptions {
  readonly spec: MachineSpec;
  readonly paths: RunPaths;
  readonly fleetTag: string;
  readonly qemu: QemuBuild;
  readonly spawner: Spawner;
  readonly cgroups: Cgroups;
  readonly clock: Clock;
}

/** The start of one QEMU in a run directory that is there already; if it fails, it is explained and undone. */
export class Preparation {
  readonly #options: PreparationOptions;
  readonly #uuid = randomUUID();
  #process: ProcessIdentity | undefined;
  #exit: ProcessExit | undefined;

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** Spawns QEMU, with a manifest on disk before and after. */
  async spawn(): Promise<{ readonly manifest: Manifest; readonly process: ProcessIdentity }> {
    const { spec, paths, fleetTag, qemu, spawner, cgroups, clock } = this.#options;
    const users = vmUsers();
    const runAs = users === 'own' ? userOfVm(fleetTag, spec.address) : undefined;
    const args = buildArgv({ spec, uuid: this.#uuid, paths, runAs });
    const planned: Manifest = {
      version: versionOf(spec),
      spec,
      uuid: this.#uuid,
      argvDigest: digestOfArgv(args),
      bootId: bootId(),
      preparedMs: clock.now(),
    };
    writeManifest(paths.manifest, planned);
    const identity = await spawner.spawn({
      ...(qemu.confinement === 'namespaces' ? await this.#confined(args, users) : sandboxed(qemu.program, args, users)),
      cwd: paths.directory,
      stderrPath: paths.stderr,
    });
    this.#process = identity;
    cgroups.place(spec.vm, identity.pid, capsOf(spec.memoryMib));
    spawner.onExit(identity, (exit) => {
      this.#exit = exit;
    });
    const manifest: Manifest = { ...planned, process: identity };
    writeManifest(paths.manifest, manifest);
    return { manifest, process: identity };
  }

  /** QEMU in namespaces of its own, under a filter of ours. */
  async #confined(
    args: readonly string[],
    users: VmUsers,
  ): Promise<Pick<SpawnRequest, 'command' | 'args' | 'infoPath'>> {
    const { spec, paths, qemu } = this.#options;
    const program = realProgram(qemu.program);
    const becomesAnother = users === 'own';
    writeFileSync(paths.filter, qemuFilter(becomesAnother), { mode: 0o600 });
    const firmware = usesOwnFirmware(profileOf(spec)) ? [FIRMWARE] : firmwareOfQemu(program);
    const images = spec.companion === undefined ? [spec.image] : [spec.image, spec.companion.path];
    const wrapper = bwrapArgs({
      files: [...(await filesOfQemu(program)), ...firmware, ...images],
      devices: ['/dev/kvm'],
      folder: paths.directory,
      becomesAnother,
      tellsPid: true,
    });
    const input = { descriptor: FILTER_FD, name: basename(paths.filter) };
    return { ...bounded(BWRAP, [...wrapper, program, ...args], input), infoPath: paths.info };
  }

  /** Explains a failure by QEMU's standard error. @returns the error itself if that says no more; never rejects */
  async explain(error: unknown): Promise<unknown> {
    try {
      return await this.#explain(error);
    } catch {
      return error;
    }
  }

  /** Ends the process and removes the directory. Never rejects: if something stays, `find` finds it. */
  async undo(): Promise<void> {
    const { spec, paths, cgroups, clock } = this.#options;
    try {
      // The launcher may have spawned QEMU before it was killed for its silence; a wrapper ends after its program.
      const processes = this.#process === undefined ? this.#spawned() : [this.#process];
      for (const identity of processes) signalProcess(identity, 'SIGKILL');
      for (const identity of processes) if (!(await whenGone(identity, KILL_TIMEOUT_MS, clock))) return;
      cgroups.remove(spec.vm);
      await removeRunDirectory(paths.directory);
    } catch {
      return;
    }
  }

  #spawned(): readonly ProcessIdentity[] {
    return [...processesWith((argument) => argument === this.#uuid)].map((found) => found.process);
  }

  #silentEnd(): string {
    const { directory } = this.#options.paths;
    const { exitCode, signal } = this.#exit ?? { exitCode: null, signal: null };
    const how = signal ?? (exitCode === null ? undefined : `exit code ${exitCode}`);
    const end = how === undefined ? 'it said nothing' : `it said nothing (${how})`;
    // On a full disk its last words are lost, too.
    return statfsSync(directory).bavail > 0 ? end : `${end}, and the disk of its run directory ${directory} is full`;
  }

  async #explain(error: unknown): Promise<unknown> {
    const { spec, paths, qemu, clock } = this.#options;
    const code = codeOf(error);
    if (this.#process === undefined)
      return code === 'ENOENT' || code === 'EACCES' ? qemuMissing(qemu.program, error) : error;
    // A QEMU that gives up closes its sockets a moment before its process ends.
    if (!(await whenGone(this.#process, EXIT_MOMENT_MS, clock))) return error;
    const stderr = (await readTail(paths.stderr, STDERR_TAIL_BYTES)).trim();
    const where = formatAddress(spec.address);
    const exitCode = this.#exit?.exitCode ?? null;
    if (couldNotRun(exitCode, stderr)) {
      return qemuMissing(qemu.confinement === 'namespaces' ? BWRAP : qemu.program, new Error(stderr));
    }
    const details = { vm: spec.vm, address: where, stderr, exitCode };
    if (/host forwarding rule/i.test(stderr)) {
      return new ShoalError(
        'PORT_TAKEN',
        `QEMU cannot listen on ${where}: another program does, or the address is not of this host`,
        { details },
      );
    }
    if (/Resource temporarily unavailable/.test(stderr)) {
      return processLimit(`QEMU of VM ${spec.vm} cannot start its threads`);
    }
    return new ShoalError(
      'QEMU_EXITED',
      `QEMU of VM ${spec.vm} ended before it was prepared: ${stderr || this.#silentEnd()}${unconfined(stderr)}`,
      { details },
    );
  }
}

/** The wrapper worked when Shoal chose it: rights or limits of this machine have changed. */
function unconfined(stderr: string): string {
  if (!stderr.startsWith(`${BWRAP}: `)) return '';
  return '; `shoal doctor` says what it needs, and a Shoal that is started again takes the full QEMU without it';
}

/** Root that becomes nobody else gives up its capabilities before the program starts; of the others `-runas` takes them. */
function sandboxed(program: string, args: readonly string[], users: VmUsers): ReturnType<typeof bounded> {
  if (users !== 'root') return bounded(program, args);
  return bounded('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--', program, ...args]);
}
