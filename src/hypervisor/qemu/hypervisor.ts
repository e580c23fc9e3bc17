import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { signatureOf } from '../../file-signature.ts';
import type { LinkTarget, VmId } from '../../fleet/mod.ts';
import {
  checkOpenFiles,
  isAlive,
  type ProcessIdentity,
  type Spawner,
  signalProcess,
  whenGone,
} from '../../process/mod.ts';
import type { Found, GuestConnection, Hypervisor, Machine, MachineSpec, Manifest } from '../port.ts';
import { profileOf } from '../profile/shipped.ts';
import { Cgroups } from './cgroup.ts';
import { ConsoleRounds } from './console-rounds.ts';
import { CpuShare } from './cpu-share.ts';
import { checkFirmware } from './firmware.ts';
import { checkAccelerator, checkAllowed, checkNetwork, checkQemu, QEMU_DEFAULT } from './host-tools.ts';
import { type ImageInfo, inspectImage } from './image.ts';
import { Inventory } from './inventory.ts';
import { linkKeyOf } from './link-key.ts';
import { type OpenOptions, QemuMachine } from './machine.ts';
import { checkUuid, manifestIn } from './manifest.ts';
import { PortConnection } from './port-connection.ts';
import { Preparation } from './preparation.ts';
import { processOf } from './process-of.ts';
import {
  ensurePrivateDirectory,
  makeRunDirectory,
  type RunPaths,
  removeRunDirectory,
  runPaths,
  runtimeRoot,
} from './run-directory.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface QemuOptions {
  /**
   * The name of the fleet's directory below the runtime root: short, unique on this host, of letters, digits, `-` and
   * `_`.
   */
  readonly fleetTag: string;
  readonly spawner: Spawner;
  /** Default: that of `runtimeRoot()`. */
  readonly runtimeRoot?: string;
  /** The build for VMs whose spec names none: a path, or a name that is looked for in PATH. */
  readonly qemu?: string;
  readonly clock?: Clock;
  /** Where cgroup v2 is mounted; default /sys/fs/cgroup. */
  readonly cgroupRoot?: string;
  /** Time limit from the spawn to the monitor's greeting; default 20000. */
  readonly prepareTimeoutMs?: number;
  /** Time limit for the greeting of a monitor that another client may hold; default 2000. */
  readonly adoptTimeoutMs?: number;
}

const PREPARE_TIMEOUT_MS = 20_000;
const ADOPT_TIMEOUT_MS = 2_000;
const TERMINATE_TIMEOUT_MS = 1_000;
const KILL_TIMEOUT_MS = 5_000;

/**
 * The machine port on QEMU.
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
  readonly #cpuShare: CpuShare;
  readonly #qemu: string;
  readonly #clock: Clock;
  readonly #rounds: ConsoleRounds;
  readonly #inventory: Inventory;
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
    this.#cpuShare = new CpuShare(this.#directory, this.#cgroups);
    this.#qemu = options.qemu ?? QEMU_DEFAULT;
    this.#clock = options.clock ?? systemClock;
    this.#rounds = new ConsoleRounds(this.#clock);
    this.#prepareTimeoutMs = options.prepareTimeoutMs ?? PREPARE_TIMEOUT_MS;
    this.#adoptTimeoutMs = options.adoptTimeoutMs ?? ADOPT_TIMEOUT_MS;
    this.#inventory = new Inventory(this.#directory, this.#clock, this.#adoptTimeoutMs);
    // A path that is too long should be known before the first VM, so the longest possible one is checked here.
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
    const process = processOf(manifest);
    if (process === undefined) throw vmGone(manifest);
    const confirmed: Manifest = { ...manifest, process };
    const machine = await QemuMachine.open(
      this.#opening({ paths, manifest: confirmed, process, isNew: false, timeoutMs: this.#adoptTimeoutMs }),
      () => isAlive(process),
    );
    try {
      checkUuid(paths.qmp, manifest, await machine.qmp('query-uuid', undefined, this.#adoptTimeoutMs));
      // It may have given way when the Shoal before this one ended.
      this.#cpuShare.set(manifest.spec.vm, false);
      return machine;
    } catch (error) {
      await machine.release();
      throw error;
    }
  }

  async list(): Promise<readonly Found[]> {
    await this.#prepared();
    return this.#inventory.list();
  }

  async find(vm: VmId): Promise<Found | undefined> {
    await this.#prepared();
    return this.#inventory.find(vm);
  }

  async end(process: ProcessIdentity): Promise<boolean> {
    signalProcess(process, 'SIGTERM');
    if (await whenGone(process, TERMINATE_TIMEOUT_MS, this.#clock)) return true;
    signalProcess(process, 'SIGKILL');
    return whenGone(process, KILL_TIMEOUT_MS, this.#clock);
  }

  async discard(vm: VmId): Promise<void> {
    this.#cgroups.remove(vm);
    await removeRunDirectory(runPaths(this.#directory, vm).directory);
  }

  async availableBytes(): Promise<number> {
    // The kernel answers from memory, and an asynchronous read would cost several times as much.
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
    if (kib === undefined) throw new Error('/proc/meminfo does not say MemAvailable');
    return Number(kib) * 1024;
  }

  connect({ vm, address }: LinkTarget): GuestConnection {
    const { link, manifest } = runPaths(this.#directory, vm);
    // A VM that another Shoal has made may have another network than those of this one.
    const uuid = existsSync(link) ? manifestIn(manifest)?.uuid : undefined;
    if (uuid === undefined) return new TcpConnection(address, this.#clock);
    return new PortConnection(link, linkKeyOf(uuid), this.#clock);
  }

  giveWay(vm: VmId, givesWay: boolean): void {
    this.#cpuShare.set(vm, givesWay);
  }

  /** A machine that is being prepared looks like the remains of one. */
  async #prepared(): Promise<void> {
    await Promise.allSettled([...this.#preparing]);
  }

  async #prepare(spec: MachineSpec): Promise<Machine> {
    checkOpenFiles(this.#preparing.size);
    const build = spec.qemu ?? { program: this.#qemu, confinement: 'sandbox', why: 'the default' };
    checkQemu(build);
    checkAllowed(spec.accelerator, profileOf(spec), spec.image);
    checkNetwork(spec.network, profileOf(spec), spec.image);
    checkAccelerator(spec.accelerator);
    checkFirmware(profileOf(spec));
    await this.#checkImage(spec);
    const paths = runPaths(this.#directory, spec.vm);
    ensurePrivateDirectory(this.#directory);
    makeRunDirectory(paths.directory);
    const preparation = new Preparation({
      spec,
      paths,
      fleetTag: this.#fleetTag,
      qemu: build,
      spawner: this.#spawner,
      cgroups: this.#cgroups,
      clock: this.#clock,
    });
    try {
      return await this.#launch(preparation, paths);
    } catch (error) {
      const explained = await preparation.explain(error);
      await preparation.undo();
      throw explained;
    }
  }

  async #launch(preparation: Preparation, paths: RunPaths): Promise<Machine> {
    const spawned = await preparation.spawn();
    return QemuMachine.open(
      this.#opening({ paths, ...spawned, isNew: true, timeoutMs: this.#prepareTimeoutMs }),
      () => !preparation.hasExited,
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

  async #checkImage(spec: MachineSpec): Promise<void> {
    const { digest, companion } = await this.#inspect(spec);
    if (companion !== undefined && spec.companion !== undefined)
      checkDigest(companion.path, companion.digest, spec.companion.digest);
    checkDigest(spec.image, digest, spec.imageDigest);
  }

  /** Reads an image once, as long as its files do not change. */
  #inspect(spec: MachineSpec): Promise<ImageInfo> {
    const { image, companion } = spec;
    const profile = profileOf(spec);
    const files = companion === undefined ? [image] : [image, companion.path];
    const signature = files.map(signatureOf).join('+');
    const isThere = !signature.split('+').includes('');
    const key = `${files.join('\0')}\0${JSON.stringify(profile)}`;
    const known = this.#images.get(key);
    if (known !== undefined && known.signature === signature && isThere) return known.info;
    const info = inspectImage(image, profile, companion?.path);
    if (isThere) this.#images.set(key, { signature, info });
    return info;
  }
}

function checkDigest(path: string, digest: string, expected: string): void {
  if (digest === expected) return;
  throw new ShoalError('IMAGE_INVALID', `${path} has changed: its digest is ${digest}, expected ${expected}`, {
    details: { path, digest, expected },
  });
}

function vmGone(manifest: Manifest): ShoalError {
  return new ShoalError('VM_GONE', `The QEMU of VM ${manifest.spec.vm} does not run any more`, {
    details: { vm: manifest.spec.vm },
  });
}
