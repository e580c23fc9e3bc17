import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../actors/mod.ts';
import { codeOf, ShoalError } from '../../errors.ts';
import type { Address, VmId } from '../../fleet/mod.ts';
import { formatAddress } from '../../fleet/mod.ts';
import {
  bootId,
  checkOpenFiles,
  findByArgument,
  isAlive,
  type ProcessExit,
  type ProcessIdentity,
  readTail,
  type Spawner,
  signalProcess,
  TEMPORARY_SUFFIX,
  whenGone,
} from '../../process/mod.ts';
import type { Found, GuestConnection, Hypervisor, Machine, MachineSpec, Manifest } from '../port.ts';
import { buildArgv, userOfVm } from './argv.ts';
import { bounded, couldNotRun } from './bounded.ts';
import { Cgroups, capsOf } from './cgroup.ts';
import { ConsoleRounds } from './console-rounds.ts';
import { hasUuid } from './has-uuid.ts';
import { checkAccelerator, checkQemu, QEMU_DEFAULT, qemuMissing } from './host-tools.ts';
import { type ImageInfo, inspectImage } from './image.ts';
import { type OpenOptions, QemuMachine } from './machine.ts';
import { digestOfArgv, readManifest, writeManifest } from './manifest.ts';
import { Qmp } from './qmp.ts';
import {
  ensurePrivateDirectory,
  makeRunDirectory,
  type RunPaths,
  removeRunDirectory,
  runPaths,
  runtimeRoot,
} from './run-directory.ts';
import { TcpConnection } from './tcp-connection.ts';
import { connectUnix } from './unix-socket.ts';

export interface QemuOptions {
  /** Short and unique on this host: the directory of a fleet's VMs below the runtime root; letters, digits, `-`, `_`. */
  readonly fleetTag: string;
  readonly spawner: Spawner;
  /** Default: $SHOAL_RUNTIME_DIR, /run/shoal for root, $XDG_RUNTIME_DIR/shoal. */
  readonly runtimeRoot?: string;
  /** A path, or a name that is looked for in PATH. */
  readonly qemu?: string;
  readonly clock?: Clock;
  /** Where cgroup v2 is mounted; default /sys/fs/cgroup. */
  readonly cgroupRoot?: string;
  /** From the spawn to the monitor's greeting; default 20000. */
  readonly prepareTimeoutMs?: number;
  /** For the greeting of a monitor that somebody else may hold; default 2000. */
  readonly adoptTimeoutMs?: number;
}

const PREPARE_TIMEOUT_MS = 20_000;
const ADOPT_TIMEOUT_MS = 2_000;
const KILL_TIMEOUT_MS = 5_000;
const EXIT_MOMENT_MS = 1_000;
const STDERR_TAIL_BYTES = 2_000;

/**
 * The real machine port, on QEMU.
 * @throws CONFIG_VALUE for a tag that cannot be a directory name; RIGHTS_MISSING, PATH_TOO_LONG for the runtime root
 */
export function createQemuHypervisor(options: QemuOptions): Hypervisor {
  return new QemuHypervisor(options);
}

class QemuHypervisor implements Hypervisor {
  readonly #fleetTag: string;
  readonly #directory: string;
  readonly #spawner: Spawner;
  readonly #cgroups: Cgroups;
  readonly #qemu: string;
  readonly #clock: Clock;
  readonly #rounds: ConsoleRounds;
  readonly #prepareTimeoutMs: number;
  readonly #adoptTimeoutMs: number;
  readonly #preparing = new Set<Promise<unknown>>();
  readonly #images = new Map<string, { readonly signature: string; readonly info: Promise<ImageInfo> }>();

  constructor(options: QemuOptions) {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(options.fleetTag)) {
      throw new ShoalError(
        'CONFIG_VALUE',
        `Expected \`fleetTag\` to be 1 to 32 letters, digits, "-" or "_", got \`${options.fleetTag}\``,
      );
    }
    this.#fleetTag = options.fleetTag;
    this.#directory = join(options.runtimeRoot ?? runtimeRoot(), options.fleetTag);
    this.#spawner = options.spawner;
    this.#cgroups = new Cgroups(options.fleetTag, options.cgroupRoot);
    this.#qemu = options.qemu ?? QEMU_DEFAULT;
    this.#clock = options.clock ?? systemClock;
    this.#rounds = new ConsoleRounds(this.#clock);
    this.#prepareTimeoutMs = options.prepareTimeoutMs ?? PREPARE_TIMEOUT_MS;
    this.#adoptTimeoutMs = options.adoptTimeoutMs ?? ADOPT_TIMEOUT_MS;
    // The longest name of a VM's directory: a path that is too long should be known before the first VM.
    runPaths(this.#directory, Number.MAX_SAFE_INTEGER);
  }

  prepare(spec: MachineSpec): Promise<Machine> {
    const preparing = this.#prepare(spec);
    this.#preparing.add(preparing);
    const forget = (): boolean => this.#preparing.delete(preparing);
    preparing.then(forget, forget);
    return preparing;
  }

  async adopt(manifest: Manifest): Promise<Machine> {
    const paths = runPaths(this.#directory, manifest.spec.vm);
    const process = await this.#processOf(manifest);
    if (process === undefined) throw vmGone(manifest);
    const confirmed: Manifest = { ...manifest, process };
    const machine = await QemuMachine.open(
      this.#opening({ paths, manifest: confirmed, process, isNew: false, timeoutMs: this.#adoptTimeoutMs }),
      () => isAlive(process),
    );
    try {
      checkUuid(paths, manifest, await machine.qmp('query-uuid', undefined, this.#adoptTimeoutMs));
      return machine;
    } catch (error) {
      await machine.release();
      throw error;
    }
  }

  async list(): Promise<readonly Found[]> {
    // A machine that is being prepared looks like the wreck of one.
    await Promise.allSettled([...this.#preparing]);
    // At once: each may take as long as its monitor takes to not answer.
    const found = await Promise.all((await this.#names()).map((name) => this.#look(name)));
    return found.filter((one) => one !== undefined);
  }

  async find(vm: VmId): Promise<Found | undefined> {
    await Promise.allSettled([...this.#preparing]);
    const names = await this.#names();
    return names.includes(String(vm)) ? this.#look(String(vm)) : undefined;
  }

  async discard(manifest: Manifest): Promise<void> {
    await this.#remove(manifest.spec.vm, runPaths(this.#directory, manifest.spec.vm));
  }

  async availableBytes(): Promise<number> {
    // The kernel answers from memory; asking beside the event loop costs several times what it takes.
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
    return Number(kib ?? 0) * 1024;
  }

  connect(address: Address): GuestConnection {
    return new TcpConnection(address, this.#clock);
  }

  async #prepare(spec: MachineSpec): Promise<Machine> {
    checkOpenFiles(this.#preparing.size);
    checkQemu(this.#qemu);
    checkAccelerator(spec.accelerator);
    await this.#checkImage(spec);
    const paths = runPaths(this.#directory, spec.vm);
    ensurePrivateDirectory(this.#directory);
    makeRunDirectory(paths.directory);
    const attempt = new Attempt(spec.vm);
    try {
      return await this.#launch(spec, paths, attempt);
    } catch (error) {
      const explained = await this.#explain(error, spec, paths, attempt);
      await this.#undo(paths, attempt);
      throw explained;
    }
  }

  async #launch(spec: MachineSpec, paths: RunPaths, attempt: Attempt): Promise<Machine> {
    const isRoot = process.getuid?.() === 0;
    const uuid = attempt.uuid;
    const runAs = isRoot ? userOfVm(this.#fleetTag, spec.address) : undefined;
    const args = buildArgv({ spec, uuid, paths, runAs });
    const planned: Manifest = {
      version: 1,
      spec,
      uuid,
      argvDigest: digestOfArgv(args),
      bootId: bootId(),
      preparedMs: this.#clock.now(),
    };
    writeManifest(paths.manifest, planned);
    const identity = await this.#spawner.spawn({
      ...bounded(this.#qemu, args),
      cwd: paths.directory,
      stderrPath: paths.stderr,
    });
    attempt.process = identity;
    this.#cgroups.place(spec.vm, identity.pid, capsOf(spec.memoryMib));
    this.#spawner.onExit(identity, (exit) => {
      attempt.exit = exit;
    });
    const manifest: Manifest = { ...planned, process: identity };
    writeManifest(paths.manifest, manifest);
    return QemuMachine.open(
      this.#opening({ paths, manifest, process: identity, isNew: true, timeoutMs: this.#prepareTimeoutMs }),
      () => attempt.exit === undefined,
    );
  }

  #opening(what: Pick<OpenOptions, 'paths' | 'manifest' | 'process' | 'isNew' | 'timeoutMs'>): OpenOptions {
    const { vm } = what.manifest.spec;
    return {
      ...what,
      spawner: this.#spawner,
      clock: this.#clock,
      rounds: this.#rounds,
      onRemoved: () => this.#cgroups.remove(vm),
    };
  }

  /** Ends whatever the attempt left, and removes its directory. */
  async #undo(paths: RunPaths, attempt: Attempt): Promise<void> {
    // A launcher that was killed for its silence may have obeyed before.
    const identity = attempt.process ?? findByArgument(attempt.uuid);
    if (identity !== undefined) {
      signalProcess(identity, 'SIGKILL');
      // One that cannot be confirmed gone keeps its directory: whoever lists it next must see it.
      if (!(await whenGone(identity, KILL_TIMEOUT_MS, this.#clock))) return;
    }
    await this.#remove(attempt.vm, paths);
  }

  async #remove(vm: VmId, paths: RunPaths): Promise<void> {
    this.#cgroups.remove(vm);
    await removeRunDirectory(paths.directory);
  }

  async #explain(error: unknown, spec: MachineSpec, paths: RunPaths, attempt: Attempt): Promise<unknown> {
    const code = codeOf(error);
    if (attempt.process === undefined)
      return code === 'ENOENT' || code === 'EACCES' ? qemuMissing(this.#qemu, error) : error;
    // A QEMU that gives up closes its sockets a moment before it is gone.
    if (!(await whenGone(attempt.process, EXIT_MOMENT_MS, this.#clock))) return error;
    const stderr = (await readTail(paths.stderr, STDERR_TAIL_BYTES)).trim();
    const where = formatAddress(spec.address);
    if (couldNotRun(attempt.exit?.exitCode, stderr)) return qemuMissing(this.#qemu, new Error(stderr));
    const details = { vm: spec.vm, address: where, stderr, exitCode: attempt.exit?.exitCode ?? null };
    if (/host forwarding rule/i.test(stderr)) {
      return new ShoalError(
        'PORT_TAKEN',
        `QEMU cannot listen on ${where}: another program does, or the address is not of this host`,
        {
          details,
        },
      );
    }
    return new ShoalError(
      'QEMU_EXITED',
      `QEMU of VM ${spec.vm} ended before it was prepared: ${stderr || 'it said nothing'}`,
      {
        details,
      },
    );
  }

  async #checkImage(spec: MachineSpec): Promise<void> {
    const { digest } = await this.#inspect(spec.image);
    if (digest === spec.imageDigest) return;
    throw new ShoalError(
      'IMAGE_INVALID',
      `${spec.image} has changed: its SHA-256 is ${digest}, expected ${spec.imageDigest}`,
      {
        details: { path: spec.image, digest, expected: spec.imageDigest },
      },
    );
  }

  /** Reads an image once as long as the file stays the same. */
  #inspect(path: string): Promise<ImageInfo> {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
    const signature = stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
    const known = this.#images.get(path);
    if (known !== undefined && known.signature === signature && signature !== '') return known.info;
    const info = inspectImage(path);
    if (signature !== '') this.#images.set(path, { signature, info });
    return info;
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#directory)).sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async #look(name: string): Promise<Found | undefined> {
    const directory = join(this.#directory, name);
    const vm = vmOfName(name);
    const unknown = (why: string): Found => ({ kind: 'unknown', directory, vm, why });
    if (vm === undefined) return unknown('its name is not the id of a VM');
    const paths = runPaths(this.#directory, vm);
    let manifest: Manifest;
    try {
      manifest = await readManifest(paths.manifest);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && (await removedAsEmpty(directory))) return undefined;
      return unknown(error instanceof Error ? error.message : String(error));
    }
    if (manifest.spec.vm !== vm) return unknown(`its manifest is of VM ${manifest.spec.vm}`);
    try {
      return await this.#proveRunning(manifest, paths, unknown);
    } catch (error) {
      return unknown(`its process cannot be looked for: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #proveRunning(manifest: Manifest, paths: RunPaths, unknown: (why: string) => Found): Promise<Found> {
    const process = await this.#processOf(manifest);
    if (process === undefined) return { kind: 'gone', manifest };
    try {
      const socket = await connectUnix(paths.qmp, this.#adoptTimeoutMs, this.#clock, () => isAlive(process));
      const qmp = await Qmp.open(socket, this.#adoptTimeoutMs, this.#clock);
      try {
        checkUuid(paths, manifest, await qmp.command('query-uuid', undefined, this.#adoptTimeoutMs));
      } finally {
        qmp.close();
      }
      const confirmed: Manifest = { ...manifest, process };
      // Its maker died before it could note the pid.
      if (manifest.process === undefined) writeManifest(paths.manifest, confirmed);
      return { kind: 'running', manifest: confirmed };
    } catch (error) {
      if (!isAlive(process)) return { kind: 'gone', manifest };
      return unknown(
        `process ${process.pid} cannot be identified: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** The process that a manifest speaks of; undefined if it is gone or never was. */
  async #processOf(manifest: Manifest): Promise<ProcessIdentity | undefined> {
    if (manifest.bootId !== bootId()) return undefined;
    const { process, uuid } = manifest;
    if (process === undefined) return findByArgument(uuid);
    // The same pid and start tick could only be another process by an accident within a hundredth of a second; the uuid rules it out.
    return isAlive(process) && (await hasUuid(process.pid, uuid)) ? process : undefined;
  }
}

/** What is known of a preparation while it is under way. */
class Attempt {
  readonly vm: VmId;
  readonly uuid = randomUUID();
  process: ProcessIdentity | undefined;
  exit: ProcessExit | undefined;

  constructor(vm: VmId) {
    this.vm = vm;
  }
}

function vmOfName(name: string): VmId | undefined {
  const vm = Number(name);
  return Number.isSafeInteger(vm) && vm >= 0 && String(vm) === name ? vm : undefined;
}

/** A directory without a manifest: its maker died before the manifest was durable, and so before any start. It holds nothing of use. */
async function removedAsEmpty(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined || !names.every((name) => name.endsWith(TEMPORARY_SUFFIX))) return false;
  try {
    await (names.length === 0 ? rmdir(directory) : removeRunDirectory(directory));
    return true;
  } catch {
    // Another thread has made a VM of it meanwhile, or has removed it.
    return !existsSync(directory);
  }
}

function checkUuid(paths: RunPaths, manifest: Manifest, answer: unknown): void {
  const uuid = typeof answer === 'object' && answer !== null && 'UUID' in answer ? answer.UUID : undefined;
  if (uuid === manifest.uuid) return;
  throw new ShoalError(
    'MANIFEST_INVALID',
    `The QEMU behind ${paths.qmp} has the uuid ${String(uuid)}, not ${manifest.uuid}`,
    {
      details: { path: paths.qmp, expected: manifest.uuid },
    },
  );
}

function vmGone(manifest: Manifest): ShoalError {
  return new ShoalError('VM_GONE', `The QEMU of VM ${manifest.spec.vm} does not run any more`, {
    details: { vm: manifest.spec.vm },
  });
}
