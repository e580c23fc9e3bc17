import { expect } from 'vitest';
import { type FleetEvent, REQUEST_END_REASONS, VM_END_REASONS } from '../../src/fleet/mod.ts';
import type { VmNetwork } from '../../src/hypervisor/mod.ts';
import { signalProcess } from '../../src/process/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { type FleetProcess, processesOf, qemusOf, sharedAddresses } from '../driver/processes.ts';
import { RequestHistory, type Sums, startLoad } from '../driver/request-history.ts';
import { randomFrom, seed } from '../driver/seed.ts';

/**
 * Silence shows soon, and no VM is surplus, so only the faults decide which VMs run.
 */
const FLAGS = [
  ['--min', '2'],
  ['--set', 'status_interval_ms=200'],
  ['--set', 'last_connect_ms=1500'],
  ['--set', 'free_count=100000'],
  ['--set', 'stuck_ms=1000'],
].flat();
const ADDRESSES = 4;
const WORKERS = 6;
const DEADLINE_MS = 4_000;
/** Replies between two faults. */
const CALM_MAX = 40;
const LOOK_MS = 40;
/** Events shown of a fleet that does not recover. */
const EVENTS_SHOWN = 60;

/** A fleet under load, with the history of its requests. */
export interface Run {
  fleet: TestFleet;
  readonly history: RequestHistory;
  readonly random: (below: number) => number;
}

export interface FaultPlan {
  readonly rounds: number;
  /** Further flags of `up`. */
  readonly flags?: readonly string[];
  /** Of the VMs; default as in `TestFleet`. */
  readonly network?: VmNetwork;
  /** Injects the fault; resolves when the fleet should have recovered. */
  readonly inject: (run: Run) => Promise<void>;
}

/**
 * Injects a fault at random moments under load, and checks the invariants: after each round the fleet answers, and each address in use has
 * one VM; in the end each request has ended as R11 promises, and nothing is left behind.
 */
export async function injectFaults({ rounds, flags: more = [], network, inject }: FaultPlan): Promise<Sums> {
  const random = randomFrom(seed);
  // A fleet name of its own, because another nats-server may take the port while ours is gone.
  const flags = [...FLAGS, '--fleet', `kill-${seed}`, ...more];
  const over = network === undefined ? {} : { network };
  const fleet = await TestFleet.start({ ...over, addresses: ADDRESSES, flags, env: { SHOAL_TEST_FAULTS: '1' } });
  const history = await RequestHistory.open(fleet.ready);
  const run: Run = { fleet, history, random };
  const load = startLoad({ history, workers: WORKERS, deadlineMs: DEADLINE_MS, random });
  const shared: string[] = [];
  /** VMs whose end, or the decision to end them, has no reason of the closed set. */
  const unexplained: string[] = [];
  const looking = setInterval(() => shared.push(...sharedAddresses(fleet)), LOOK_MS);
  try {
    // To the next Shoal, VMs in preparation are surplus spares, so the first load must have its VMs.
    await history.replies(WORKERS);
    await isSound(fleet);
    for (let round = 0; round < rounds; round++) {
      await history.replies(random(CALM_MAX));
      await inject(run);
      await history.replies(WORKERS);
      await isSound(run.fleet);
      // Between two faults there are fewer events than a fleet remembers.
      unexplained.push(...withoutReason(await run.fleet.events()));
    }
  } finally {
    await load.stop();
    clearInterval(looking);
  }
  const sums = await history.close();
  expect(sums.broken).toEqual([]);
  addUp(sums);
  expect(unexplained, 'ends without a reason').toEqual([]);
  expect(shared, 'addresses on two VMs').toEqual([]);
  expect(await run.fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  return sums;
}

/** Each request has ended once, and each end that a client was told has a reason of the closed set. */
export function addUp(sums: Sums): void {
  const answered = totalOf(sums.refused);
  expect(sums.replied + answered + sums.unanswered).toBe(sums.sent);
  expect(Object.keys(sums.reasons).filter((word) => !(word in REQUEST_END_REASONS))).toEqual([]);
  expect(totalOf(sums.reasons)).toBe(sums.replied + answered);
}

function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The events that end a VM, or tell that it has ended, and have no reason of the closed set. */
function withoutReason(events: readonly FleetEvent[]): string[] {
  const words: ReadonlySet<unknown> = new Set(VM_END_REASONS);
  const ends = events.filter(({ kind }) => kind === 'vm-gone' || kind === 'vm-stop' || kind === 'vm-drain');
  return ends.filter(({ reason }) => !words.has(reason)).map(({ text, reason }) => `${text}: ${reason}`);
}

/** Checks that Shoal's view is right: at least the minimum runs, each VM has one QEMU, and all other addresses are free. */
async function isSound(fleet: TestFleet): Promise<void> {
  let seen = '';
  const look = async (): Promise<true | undefined> => {
    const snapshot = await fleet.snapshot();
    const { vms, addresses_free } = snapshot;
    const running = qemusOf(fleet).flatMap(({ address }) => address ?? []);
    seen = JSON.stringify({ ...snapshot, running });
    if (vms.length < 2 || vms.some(({ state }) => state !== 'ready')) return undefined;
    const told = vms.map(({ address }) => address);
    const same = running.toSorted().join() === told.toSorted().join();
    return same && addresses_free === ADDRESSES - vms.length ? true : undefined;
  };
  await eventually('what Shoal says is what runs', look).catch(async (cause: unknown) => {
    const events = (await fleet.events()).map(({ text }) => text);
    throw new Error(`seen last: ${seen}\n${events.slice(-EVENTS_SHOWN).join('\n')}`, { cause });
  });
}

/** VMs with pid and start time, so that no other process is taken for one. @param meant all by default */
export function vmProcesses(fleet: TestFleet, meant: (vm: number | undefined) => boolean = () => true): string[] {
  const qemus = qemusOf(fleet).filter(({ vm }) => meant(vm));
  return qemus.map(({ vm, identity }) => `VM ${vm}, process ${identity.pid} since ${identity.startTicks}`);
}

/**
 * The uptime of each ready VM. A VM in preparation is left out: to the Shoal that adopts it, it is a spare, and may be surplus.
 */
export async function uptimes(fleet: TestFleet): Promise<Map<number, number>> {
  const { vms } = await fleet.snapshot();
  const ready = vms.filter(({ state }) => state === 'ready');
  return new Map(ready.map(({ id_vmachine, uptime_ms }) => [id_vmachine, uptime_ms ?? Number.NaN]));
}

export function natsServerOf(fleet: TestFleet): FleetProcess {
  const server = processesOf(fleet).find(({ kind }) => kind === 'nats-server');
  if (server === undefined) throw new Error('the nats-server runs');
  return server;
}

export function oneOf<T>(all: readonly T[], random: (below: number) => number): T {
  const one = all[random(all.length)];
  if (one === undefined) throw new Error('there is one to choose');
  return one;
}

/** Stops a process for that long, then resumes it. */
export async function standStill(process: FleetProcess['identity'], forMs: number): Promise<void> {
  signalProcess(process, 'SIGSTOP');
  // pause: the length of the stop is under test
  await new Promise((resolve) => setTimeout(resolve, forMs));
  signalProcess(process, 'SIGCONT');
}
