import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../actors/mod.ts';
import type { Address, VmId } from '../../fleet/mod.ts';
import { createLauncher, type Launcher, processesWith, signalProcess, whenGone } from '../../process/mod.ts';
import type { Accelerator, Hypervisor, MachineSpec } from '../port.ts';
import { createQemuHypervisor, type QemuOptions } from '../qemu/hypervisor.ts';
import { type ImageInfo, inspectImage, specOfImage } from '../qemu/image.ts';

const BUILD = fileURLToPath(new URL('../../../includeos/build/', import.meta.url));
/** The guest as shipped, and the guest with the further operations `hang`, `crash`, `flood`, `chunks` and `dial`. */
export const GUEST_IMAGE = join(BUILD, 'shoal-guest.elf');
export const TEST_GUEST_IMAGE = join(BUILD, 'shoal-guest-test.elf');

/** Real QEMU in a directory of its own, for tests and benchmarks: `await using real = await realHypervisor();`. */
export interface RealHypervisor extends AsyncDisposable {
  readonly hypervisor: Hypervisor;
  readonly launcher: Launcher;
  readonly image: ImageInfo;
  /** The runtime root, and the directory below it that holds the VMs' run directories. */
  readonly root: string;
  readonly fleetDirectory: string;
  /** A folder for whatever the test keeps; removed at the end. */
  readonly folder: string;
  /** Another hypervisor on the same run directories, as a Shoal that comes back would have. */
  again(options?: Partial<QemuOptions>): Hypervisor;
  /** An address of this host that nobody listens on. */
  freeAddress(): Promise<Address>;
  /** A VM with the next id on a free address. */
  spec(overrides?: Partial<MachineSpec>): Promise<MachineSpec>;
}

export interface RealOptions {
  readonly image?: string;
  readonly qemu?: Partial<QemuOptions>;
}

export async function realHypervisor(options: RealOptions = {}): Promise<RealHypervisor> {
  const imagePath = options.image ?? GUEST_IMAGE;
  if (!existsSync(imagePath)) throw new Error(`${imagePath} is not there: build it with "npm run image"`);
  const image = await inspectImage(imagePath);
  // Short: UNIX socket paths have 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'sh-'));
  const root = join(folder, 'run');
  const launcher = createLauncher();
  const qemuOptions = { fleetTag: 't', spawner: launcher, runtimeRoot: root, ...options.qemu };
  const fleetDirectory = join(root, qemuOptions.fleetTag);
  let vms = 0;
  const freeAddress = addressesOfOneTest();
  return {
    hypervisor: createQemuHypervisor(qemuOptions),
    launcher,
    image,
    root,
    fleetDirectory,
    folder,
    again: (more = {}) => createQemuHypervisor({ ...qemuOptions, ...more }),
    freeAddress,
    async spec(overrides = {}) {
      vms += 1;
      return {
        vm: vms,
        address: overrides.address ?? (await freeAddress()),
        ...specOfImage(image),
        accelerator: 'tcg',
        memoryMib: 16,
        statusIntervalMs: 200,
        textBytesMax: 65_536,
        ...overrides,
      };
    },
    async [Symbol.asyncDispose]() {
      await endAll(fleetDirectory);
      await launcher.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The accelerators that can be used here; TCG always can. */
export function usableAccelerators(): readonly Accelerator[] {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return ['tcg', 'kvm'];
  } catch {
    return ['tcg'];
  }
}

const PORT = 9000;
const TRIES_MAX = 50;

/** Addresses of a random 127.x.y.0/24, so that tests which run at the same time do not meet. */
function addressesOfOneTest(): () => Promise<Address> {
  let id = 0;
  const net = `127.${2 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 256)}`;
  return async () => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      id += 1;
      const address = { id, ip: `${net}.${1 + (id % 250)}`, port: PORT };
      if (await isFree(address)) return address;
    }
    throw new Error(`no free address in ${net}.0/24`);
  };
}

function isFree({ ip, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, ip, () => server.close(() => resolve(true)));
  });
}

/** Ends the QEMUs that the test left, which name files below the directory, whether it is still there or not. */
async function endAll(fleetDirectory: string): Promise<void> {
  for (const { process } of [...processesWith((argument) => argument.startsWith(`${fleetDirectory}/`))]) {
    signalProcess(process, 'SIGKILL');
    await whenGone(process, GONE_TIMEOUT_MS, systemClock);
  }
}

const GONE_TIMEOUT_MS = 10_000;

/** The run directory of a VM. */
export function runDirectoryOf(real: RealHypervisor, vm: VmId): string {
  return join(real.fleetDirectory, String(vm));
}
