import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/actors/mod.ts';
import {
  type Accelerator,
  createQemuHypervisor,
  guestAnswering,
  type Hypervisor,
  type ImageInfo,
  type MachineSpec,
  openGuest,
  specOfImage,
} from '../src/hypervisor/mod.ts';
import { createLauncher } from '../src/process/mod.ts';
import { randomPool } from '../test/driver/fleet.ts';

const REQUEST_MS = 30_000;
/** Many times what a quiet machine takes: a guest that cannot boot ends by itself as a rule. */
const BOOT_MS = 60_000;
const PORT = 9000;
const TEXT_BYTES_MAX = 131_072;
const TEXT = Buffer.from('sixteen byte text');

/** Where the guests of a run live. */
export interface Room extends AsyncDisposable {
  readonly hypervisor: Hypervisor;
  /** The next machine, on an address of its own. */
  spec(image: ImageInfo, memoryMib: number): MachineSpec;
}

export function openRoom(accelerator: Accelerator): Room {
  // Short: UNIX socket paths have 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'sh-'));
  const launcher = createLauncher();
  const network = (randomPool(1).split('-')[0] ?? '').replace(/\d+$/, '');
  let vm = 0;
  return {
    hypervisor: createQemuHypervisor({ fleetTag: 'bench', spawner: launcher, runtimeRoot: join(folder, 'run') }),
    spec(image, memoryMib) {
      vm += 1;
      const address = { id: vm, ip: `${network}${1 + (vm % 250)}`, port: PORT };
      const built = { ...specOfImage(image), memoryMib, accelerator, statusIntervalMs: 1_000 } as const;
      return { vm, address, textBytesMax: TEXT_BYTES_MAX, ...built };
    },
    async [Symbol.asyncDispose]() {
      await launcher.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A guest that has answered a request. */
export interface Alive {
  readonly pid: number;
  ask(operation: string, text: Uint8Array): Promise<void>;
}

/** Starts a guest, has it answer a request, and ends it. @throws if it does not answer */
export async function alive<T>(
  room: Room,
  image: ImageInfo,
  memoryMib: number,
  use: (guest: Alive) => Promise<T>,
): Promise<T> {
  const { hypervisor } = room;
  const spec = room.spec(image, memoryMib);
  const machine = await hypervisor.prepare(spec);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const gone = new Promise<void>((resolve) => {
    machine.onExit(() => {
      ended.reject(new Error('the guest ended before it answered'));
      resolve();
    });
  });
  try {
    const up = guestAnswering(machine, hypervisor, spec, systemClock, BOOT_MS);
    await machine.start();
    await Promise.race([up, ended.promise]);
    const client = await Promise.race([openGuest(hypervisor, spec, systemClock), ended.promise]);
    const ask = async (operation: string, text: Uint8Array): Promise<void> => {
      await Promise.race([client.ask(operation, text, REQUEST_MS), ended.promise]);
    };
    await ask('upper', TEXT);
    const value = await use({ pid: machine.process.pid, ask });
    client.close();
    return value;
  } finally {
    machine.signal('SIGKILL');
    await gone;
    await machine.remove();
  }
}
