import { FrameType, FrameWriter } from '../hypervisor/mod.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { History } from './history.ts';
import { simulatedHypervisor } from './hypervisor.ts';
import { FIRST_IMAGE } from './images.ts';
import { MachineRoom, VM_BYTES } from './machine-room.ts';
import { SimulatedProcess } from './process.ts';
import { Chance } from './random.ts';
import { Recorder } from './report.ts';
import type { Scenario } from './scenario.ts';
import { VirtualTime } from './virtual-time.ts';
import { World } from './world.ts';

/** Bytes of heap for each VM that is ready and at rest. */
export interface HeapOfAVm {
  /** With the simulated machine. */
  readonly whole: number;
  /** Of the simulated machine alone: QEMU, guest, console and link. */
  readonly machine: number;
}

/** In a world that comes first: what is compiled, and kept, for any number of VMs is no VM's. */
const FIRST_VMS = 100;
const READY_MS = 10_000;
const NO_BYTES = new Uint8Array();
/** What is remembered of each guest: it need not be read again from the beginning of the console. */
const GUEST = { textBytesMax: 1_000, idempotent: true, operations: ['upper'] };

/** @param usedBytes the heap in use, after a collection */
export async function heapOfAVm(vms: number, usedBytes: () => number): Promise<HeapOfAVm> {
  const [first, scenario] = [scenarioOf(FIRST_VMS), scenarioOf(vms)];
  await ofWhole(first, usedBytes);
  await ofMachines(first, usedBytes);
  return { whole: await ofWhole(scenario, usedBytes), machine: await ofMachines(scenario, usedBytes) };
}

function scenarioOf(vms: number): Scenario {
  return {
    ...DEFAULT_SCENARIO,
    addresses: vms,
    memoryBytes: 2 * vms * VM_BYTES,
    durationMs: 2 * READY_MS,
    load: { kind: 'constant', perSecond: 1 },
    params: { min_vm_count: vms },
  };
}

async function ofWhole(scenario: Scenario, usedBytes: () => number): Promise<number> {
  const world = new World({ scenario, history: new History() });
  const before = usedBytes();
  let bytes = 0;
  world.time.after(READY_MS, () => {
    const running = world.hosts.reduce((sum, { room }) => sum + room.running, 0);
    if (running !== scenario.addresses) throw new Error(`${running} VMs run`);
    bytes = usedBytes() - before;
  });
  await world.run();
  return bytes / scenario.addresses;
}

/** The same machines, driven by nobody: each is known to be ready, prints its reports, and has a link that was answered once. */
async function ofMachines(
  { addresses: vms, memoryBytes, guest, host }: Scenario,
  usedBytes: () => number,
): Promise<number> {
  // All links share these: what it takes to write the ping is Shoal's.
  const ping = pingBytes();
  const kept = new Array<unknown>(2 * vms).fill(undefined);
  const before = usedBytes();
  const time = new VirtualTime();
  const chance = new Chance(1);
  const process = new SimulatedProcess(time, chance);
  const nothing = (): void => undefined;
  const room = new MachineRoom({
    ...{ time, chance, memoryBytes, behaviour: guest },
    ...{ violation: nothing, note: nothing, onWork: nothing, onSpawn: nothing, record: nothing },
  });
  // What the simulation notes of a VM is no machine's, but no Shoal's either.
  const recorder = new Recorder(1);
  const hypervisor = simulatedHypervisor({ time, chance, process, room, behaviour: () => host });
  for (let vm = 1; vm <= vms; vm++) {
    const address = { id: vm, ip: `10.${vm >> 16}.${(vm >> 8) & 255}.${vm & 255}`, port: 9_000 };
    const made = { image: 'simulated', imageDigest: FIRST_IMAGE, accelerator: 'kvm', memoryMib: 16 } as const;
    const limits = { statusIntervalMs: 1_000, textBytesMax: 1_000 };
    void hypervisor.prepare({ vm, address, ...made, ...limits }).then(async (machine) => {
      machine.onConsole(nothing);
      machine.onExit(nothing);
      await machine.start();
      time.after(READY_MS / 2, () => {
        void machine.remember(GUEST);
        recorder.vmReady(`host-1/${vm}`);
        const connection = hypervisor.connect({ vm, address });
        connection.onBytes(nothing);
        connection.onOpen(() => connection.write(ping));
        kept[2 * vm - 2] = machine;
        kept[2 * vm - 1] = connection;
      });
    });
  }
  await time.run(READY_MS);
  const bytes = usedBytes() - before;
  if (kept.includes(undefined) || recorder.readyVms < vms) throw new Error('not all VMs are linked');
  return bytes / vms;
}

function pingBytes(): Uint8Array {
  const writer = new FrameWriter();
  writer.append(FrameType.ping, 1, 0, NO_BYTES, NO_BYTES, NO_BYTES);
  return Buffer.concat(writer.take());
}
