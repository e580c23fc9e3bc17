import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ShoalError } from '../errors.ts';
import type { Address } from '../fleet/mod.ts';
import {
  type Accelerator,
  type AcceleratorOption,
  type CheckPoint,
  checkImage,
  checkNetwork,
  createQemuHypervisor,
  type LoadedImage,
  loadImage,
  type ProfileChoice,
  runtimeRoot,
} from '../hypervisor/mod.ts';
import { createLauncher, identify, type Spawner } from '../process/mod.ts';
import { type MachineOptions, unmeasuredAccelerator } from './accelerator.ts';
import { endAll } from './probe.ts';
import { qemuChooser } from './qemu.ts';
import { removeEmpty } from './remove-empty.ts';

export interface CheckedImage {
  /** Undefined if it cannot be read. */
  readonly image: LoadedImage | undefined;
  readonly accelerator: Accelerator | undefined;
  readonly points: readonly CheckPoint[];
}

export interface CheckOptions extends ProfileChoice, MachineOptions {
  readonly accelerator?: AcceleratorOption | undefined;
  readonly onPoint?: (point: CheckPoint) => void;
  readonly signal?: AbortSignal;
  /** How long the guest may take to answer. */
  readonly stepMs?: number;
}

/** The codes of a file that is no image, which is what the check is to find out. */
const NO_IMAGE: readonly string[] = ['IMAGE_MISSING', 'IMAGE_INVALID', 'PROFILE_INVALID'];
const TAG = 'check-';

/**
 * Boots an image once, on an address of its own and beside all fleets, and looks whether it keeps the contract.
 * @throws CONFIG_VALUE for an accelerator or a network that its profile rules out; QEMU_MISSING; LAUNCHER_FAILED
 */
export async function checkImageHere(path: string, options: CheckOptions): Promise<CheckedImage> {
  let image: LoadedImage;
  try {
    image = await loadImage(path, options);
  } catch (error) {
    if (!(error instanceof ShoalError) || !NO_IMAGE.includes(error.code)) throw error;
    const point: CheckPoint = { name: 'file', state: 'failed', why: error.message };
    options.onPoint?.(point);
    return { image: undefined, accelerator: undefined, points: [point] };
  }
  const { network = 'user' } = options;
  checkNetwork(network, image.profile, path);
  const qemuOf = await qemuChooser(options, network);
  const accelerator = await unmeasuredAccelerator(image, options.accelerator ?? 'auto', options);
  const qemu = qemuOf({ profile: image.profile, accelerator });
  const launcher = createLauncher();
  const tag = `${TAG}${process.pid}`;
  try {
    await endStale(launcher);
    const hypervisor = createQemuHypervisor({ fleetTag: tag, spawner: launcher });
    const points = await checkImage({
      ...{ ...options, hypervisor, image, accelerator, qemu },
      address: await freeAddress(),
    });
    return { image, accelerator, points };
  } finally {
    await launcher.close();
    removeEmpty(join(runtimeRoot(), tag));
  }
}

/** Of a check that was killed, QEMU goes on. */
async function endStale(spawner: Spawner): Promise<void> {
  for (const name of namesIn(runtimeRoot())) {
    const pid = /^check-(\d{1,10})$/.exec(name)?.[1];
    if (pid === undefined || identify(Number(pid)) !== undefined) continue;
    await endAll(createQemuHypervisor({ fleetTag: name, spawner }));
    removeEmpty(join(runtimeRoot(), name));
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * A port of a loopback address that nobody listens on at this moment. It is not 127.0.0.1, from whose ports the host
 * opens connections: one of them could have the port before QEMU has it.
 */
export function freeAddress(): Promise<Address> {
  const ip = `127.1.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, ip, () => {
      const place = server.address();
      const port = typeof place === 'object' && place !== null ? place.port : 0;
      server.close(() => resolve({ id: process.pid & 0xffff, ip, port }));
    });
  });
}
