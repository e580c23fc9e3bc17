import { expect } from 'vitest';
import { signalProcess } from '../../src/process/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { type FleetProcess, processesOf, qemusOf, sharedAddresses } from '../driver/processes.ts';
import { RequestHistory, type Sums, startLoad } from '../driver/request-history.ts';
import { randomFrom, seed } from '../driver/seed.ts';

/**
 * VMs fall silent and come back soon, and none is surplus: which ones run is then the doing of the test alone. Requests that Shoal never
 * heard of end soon.
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
/** From one fault to the next, replies. */
const CALM_MAX = 40;
const LOOK_MS = 40;
/** Of a fleet that did not get well again. */
const EVENTS_SHOWN = 60;

/** A fleet under load to which a fault is injected in each round. */
export interface Run {
  fleet: TestFleet;
  readonly history: RequestHistory;
  readonly random: (below: number) => number;
}

export interface FaultPlan {
  readonly rounds: number;
  /** Of `up`, besides those that all have. */
  readonly flags?: readonly string[];
  /** Does it; resolves when the fleet is to be well again. */
  readonly inject: (run: Run) => Promise<void>;
}

/**
 * Injects a fault at random moments, under load, and holds what must be so whatever happened: after each round the fleet answers and each
 * address that is in use has one VM; in the end each request has ended as R11 promises and nothing is left.
 */
export async function injectFaults({ rounds, flags: more = [], inject }: FaultPlan): Promise<Sums> {
  const random = randomFrom(seed);
  // A name of its own: while our nats-server is gone, another's may have its port.
  const flags = [...FLAGS, '--fleet', `kill-${seed}`, ...more];
  const fleet = await TestFleet.start({ addresses: ADDRESSES, flags, env: { SHOAL_TEST_FAULTS: '1' } });
  const history = await RequestHistory.open(fleet.ready);
  const run: Run = { fleet, history, random };
  const load = startLoad({ history, workers: WORKERS, deadlineMs: DEADLINE_MS, random });
  const shared: string[] = [];
  const looking = setInterval(() => shared.push(...sharedAddresses(fleet)), LOOK_MS);
  try {
    // VMs that are only prepared when Shoal is killed are spares too many to the next one: the first load has to have its VMs.
    await history.replies(WORKERS);
    await isSound(fleet);
    for (let round = 0; round < rounds; round++) {
      await history.replies(random(CALM_MAX));
      await inject(run);
      await history.replies(WORKERS);
      await isSound(run.fleet);
    }
  } finally {
    await load.stop();
    clearInterval(looking);
  }
  const sums = await history.close();
  expect(sums.broken).toEqual([]);
  const answered = Object.values(sums.refused).reduce((sum, count) => sum + count, 0);
  expect(sums.replied + answered + sums.unanswered).toBe(sums.sent);
  expect(shared, 'addresses on two VMs').toEqual([]);
  expect(await run.fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  return sums;
}

/** What Shoal says and what runs are the same: the minimum at least, one QEMU a VM, and every other address is free. */
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

/** VMs by what cannot be mistaken: the same process with the same start. @param meant all by default */
export function vmProcesses(fleet: TestFleet, meant: (vm: number | undefined) => boolean = () => true): string[] {
  const qemus = qemusOf(fleet).filter(({ vm }) => meant(vm));
  return qemus.map(({ vm, identity }) => `VM ${vm}, process ${identity.pid} since ${identity.startTicks}`);
}

/**
 * How long each VM that is ready has been up. One whose CPU does not run yet is not meant: whoever adopts it has a spare, and may have no
 * use for it.
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

/** Lets a process stand still until so much time has passed that others must have noticed. */
export async function standStill(process: FleetProcess['identity'], forMs: number): Promise<void> {
  signalProcess(process, 'SIGSTOP');
  // pause: nothing tells that a process still stands still; how long it does is what is tested
  await new Promise((resolve) => setTimeout(resolve, forMs));
  signalProcess(process, 'SIGCONT');
}
