import { askFleet, defaultImage } from '../src/app/mod.ts';
import type { VmNetwork } from '../src/hypervisor/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, type Round, type Row, rowOf } from './compare.ts';
import { BareQemu } from './peers/bare-qemu.ts';
import { cpuMsOf, pssBytesOf } from './proc.ts';
import { qemuPids } from './qemu-pids.ts';
import { ReadyVms } from './ready-vms.ts';

const AT_ONCE = 30;
const AT_ONCE_ROUNDS = 11;
const PSS_COUNTS = [1, 10, 30];
const FEW = 1;
const MANY = 30;
const OWN_MEMORY_ROUNDS = 5;
const IDLE_VMS = 10;
const IDLE_MS = 5_000;
const SETTLE_MS = 2_000;
const IDLE_ROUNDS = 5;
/** Limit for the memory of the Shoal process per VM. */
const OWN_BYTES_A_VM = 200_000;
const PORT = 9000;

/** The cost of many VMs, beside as many QEMU processes started by hand. */
export async function* manyVmsSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('thirty-at-once')) yield* atOnce('thirty-at-once', 'user', 1.15);
  if (wanted('thirty-without-a-network')) yield* atOnce('thirty-without-a-network', 'none', 0.7);
  if (wanted('memory')) yield* memory();
  if (wanted('idle-cpu')) yield* idleCpu('idle-cpu', 'user', 1.2);
  if (wanted('idle-cpu-without-a-network')) yield* idleCpu('idle-cpu-without-a-network', 'none', 1);
}

/** From the command to scale to thirty until the last VM is ready. */
async function* atOnce(name: string, network: VmNetwork, atMost: number): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ network, addresses: AT_ONCE + 1, flags: ['--min', '0'] });
  await using vms = await ReadyVms.open(fleet.ready);
  yield await compare({
    name,
    unit: 'ms',
    goal: { atMost },
    rounds: AT_ONCE_ROUNDS,
    ours: async () => {
      await scale(fleet, 0);
      const areReady = vms.more(AT_ONCE);
      const startMs = performance.now();
      await askToScale(fleet, AT_ONCE);
      await areReady;
      return performance.now() - startMs;
    },
    baseline: async () => {
      await scale(fleet, 0);
      const startMs = performance.now();
      const qemus = await bare(AT_ONCE, fleet.ready.accelerator);
      const ms = performance.now() - startMs;
      await Promise.all(qemus.map((qemu) => qemu.kill()));
      return ms;
    },
  });
}

/** PSS counts shared pages once, which is fair for many equal processes. */
async function* memory(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ addresses: Math.max(...PSS_COUNTS) + 1, flags: ['--min', '0'] });
  for (const count of PSS_COUNTS) {
    await scale(fleet, count);
    const ours = pssOf(await qemuPids(fleet)) / count;
    await scale(fleet, 0);
    const qemus = await bare(count, fleet.ready.accelerator);
    const baseline = pssOf(qemus.map((qemu) => qemu.child.pid ?? 0)) / count;
    await Promise.all(qemus.map((qemu) => qemu.kill()));
    yield rowOf({ name: `memory-of-a-vm-among-${count}`, unit: 'bytes', goal: { atMost: 1.05 } }, [{ ours, baseline }]);
  }
  yield await ownMemory(fleet);
}

/**
 * The memory of one more VM in a Shoal that has had as many before. The first time, V8 also grows its young generation, and keeps it whatever
 * the number of VMs.
 */
async function ownMemory(fleet: TestFleet): Promise<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round <= OWN_MEMORY_ROUNDS; round++) {
    await scale(fleet, FEW);
    const fewBytes = pssBytesOf(fleet.up.pid);
    await scale(fleet, MANY);
    const ours = (pssBytesOf(fleet.up.pid) - fewBytes) / (MANY - FEW);
    if (round > 0) rounds.push({ ours, baseline: OWN_BYTES_A_VM });
  }
  return rowOf({ name: 'memory-of-shoal-a-vm', unit: 'bytes', goal: { atMost: 1 } }, rounds);
}

/** CPU time of idle VMs that report once a second; ours includes the CPU time of Shoal. */
async function* idleCpu(name: string, network: VmNetwork, atMost: number): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ network, addresses: IDLE_VMS + 1, flags: ['--min', '0'] });
  yield await compare({
    name,
    unit: `ms of CPU in ${IDLE_MS / 1000} s, ${IDLE_VMS} VMs`,
    goal: { atMost },
    rounds: IDLE_ROUNDS,
    ours: async () => {
      await scale(fleet, IDLE_VMS);
      const ms = await cpuMsOver([...(await qemuPids(fleet)), fleet.up.pid]);
      await scale(fleet, 0);
      return ms;
    },
    baseline: async () => {
      const qemus = await bare(IDLE_VMS, fleet.ready.accelerator);
      const ms = await cpuMsOver(qemus.map((qemu) => qemu.child.pid ?? 0));
      await Promise.all(qemus.map((qemu) => qemu.kill()));
      return ms;
    },
  });
}

async function askToScale(fleet: TestFleet, vms: number): Promise<void> {
  await askFleet({ servers: fleet.ready.nats, fleet: fleet.ready.fleet }, 'scale', { vms });
}

async function scale(fleet: TestFleet, vms: number): Promise<void> {
  await askToScale(fleet, vms);
  await fleet.until(
    `${vms} VMs are ready`,
    (now) => now.vms.length === vms && now.vms.every((vm) => vm.state === 'ready'),
  );
}

/** Starts QEMU processes and resolves when each has answered a request. */
async function bare(count: number, accelerator: string): Promise<BareQemu[]> {
  const network = (randomPool(1).split('-')[0] ?? '').replace(/\.\d+$/, '');
  const image = defaultImage();
  const qemus = Array.from(
    { length: count },
    (_, index) => new BareQemu({ image, accelerator, ip: `${network}.${index + 1}`, port: PORT }),
  );
  await Promise.all(
    qemus.map(async (qemu) => {
      await qemu.ready();
      const link = await qemu.link();
      await link.request('ping');
      link.close();
    }),
  );
  return qemus;
}

function pssOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + pssBytesOf(pid), 0);
}

async function cpuMsOver(pids: readonly number[]): Promise<number> {
  const sum = (): number => pids.reduce((total, pid) => total + cpuMsOf(pid), 0);
  // The start is over, and so is the work that was postponed until then.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = sum();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return sum() - before;
}
