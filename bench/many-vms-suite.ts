import { askFleet, defaultImage } from '../src/app/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, median, type Row, rowOf } from './compare.ts';
import { BareQemu } from './peers/bare-qemu.ts';
import { cpuMsOf, pssBytesOf } from './proc.ts';

const AT_ONCE = 30;
const AT_ONCE_ROUNDS = 5;
const PSS_COUNTS = [1, 10, 30];
const IDLE_VMS = 10;
const IDLE_MS = 5_000;
const IDLE_ROUNDS = 3;
/** What our own process may take for each VM. */
const OWN_BYTES_A_VM = 200_000;
const PORT = 9000;

/** What many VMs cost, beside as many QEMU processes started by hand. */
export async function* manyVmsSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  if (wanted('thirty-at-once')) yield* atOnce();
  if (wanted('memory')) yield* memory();
  if (wanted('idle-cpu')) yield* idleCpu();
}

/** From the wish for thirty to the last of them ready. */
async function* atOnce(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ addresses: AT_ONCE + 1, flags: ['--min', '0'] });
  yield await compare({
    name: 'thirty-at-once',
    unit: 'ms',
    goal: { atMost: 1.15 },
    rounds: AT_ONCE_ROUNDS,
    ours: async () => {
      await scale(fleet, 0);
      const startMs = performance.now();
      await scale(fleet, AT_ONCE);
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

/** PSS counts what processes share once: the fair figure for many of a kind. */
async function* memory(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ addresses: Math.max(...PSS_COUNTS) + 1, flags: ['--min', '0'] });
  const own = new Map<number, number>();
  for (const count of PSS_COUNTS) {
    await scale(fleet, count);
    const value = pssOf(await qemuPids(fleet)) / count;
    own.set(count, pssBytesOf(fleet.up.pid));
    await scale(fleet, 0);
    const qemus = await bare(count, fleet.ready.accelerator);
    const baseline = pssOf(qemus.map((qemu) => qemu.child.pid ?? 0)) / count;
    await Promise.all(qemus.map((qemu) => qemu.kill()));
    yield rowOf({ name: `memory-of-a-vm-among-${count}`, unit: 'bytes', goal: { atMost: 1.05 }, value, baseline });
  }
  const [few = 1, , many = 30] = PSS_COUNTS;
  const value = ((own.get(many) ?? 0) - (own.get(few) ?? 0)) / (many - few);
  yield rowOf({ name: 'memory-of-shoal-a-vm', unit: 'bytes', goal: { atMost: 1 }, value, baseline: OWN_BYTES_A_VM });
}

/** CPU time of idle VMs with a report a second; ours includes what Shoal itself takes to read them. */
async function* idleCpu(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ addresses: IDLE_VMS + 1, flags: ['--min', '0'] });
  const ours: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    await scale(fleet, IDLE_VMS);
    ours.push(await cpuMsOver([...(await qemuPids(fleet)), fleet.up.pid]));
    await scale(fleet, 0);
    const qemus = await bare(IDLE_VMS, fleet.ready.accelerator);
    baseline.push(await cpuMsOver(qemus.map((qemu) => qemu.child.pid ?? 0)));
    await Promise.all(qemus.map((qemu) => qemu.kill()));
  }
  const unit = `ms of CPU in ${IDLE_MS / 1000} s, ${IDLE_VMS} VMs`;
  yield rowOf({ name: 'idle-cpu', unit, goal: { atMost: 1.2 }, value: median(ours), baseline: median(baseline) });
}

async function scale(fleet: TestFleet, vms: number): Promise<void> {
  await askFleet({ servers: fleet.ready.nats, fleet: fleet.ready.fleet }, 'scale', { vms });
  await fleet.until(
    `${vms} VMs are ready`,
    (now) => now.vms.length === vms && now.vms.every((vm) => vm.state === 'ready'),
  );
}

async function qemuPids(fleet: TestFleet): Promise<number[]> {
  const where = { servers: fleet.ready.nats, fleet: fleet.ready.fleet };
  const { vms } = await fleet.snapshot();
  const known = vms.map((vm) => askFleet<{ pid: number }>(where, 'inspect', { vm: vm.id_vmachine }));
  return (await Promise.all(known)).map(({ pid }) => pid);
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
  const before = sum();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return sum() - before;
}
