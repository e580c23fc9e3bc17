/** A router or a controller that fails is put back while VMs run, on real QEMU and NATS. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers, type MsgHdrs } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { processesOf } from '../../test/driver/processes.ts';
import { type ActorSystem, createSystem, type Ref } from '../actors/mod.ts';
import { connect } from '../client/mod.ts';
import { codeOf } from '../errors.ts';
import { type Address, type FleetEvent, type FleetSnapshot, parsePool, type RouterMessage } from '../fleet/mod.ts';
import { type ControllerMessage, inspectImage, type VmSummary } from '../hypervisor/mod.ts';
import { createLauncher, identify, isAlive, type ProcessIdentity, signalProcess } from '../process/mod.ts';
import { openImageStore } from '../store/mod.ts';
import { type Connection, subjectsOf } from '../transport/mod.ts';
import { CleanUp } from './clean-up.ts';
import { DataDir } from './data-dir.ts';
import { EventLog } from './event-log.ts';
import { type FleetActors, startFleet } from './fleet-actors.ts';
import { startNats } from './nats.ts';
import { defaultImage } from './paths.ts';
import { startShards } from './shards.ts';
import { openTables } from './tables.ts';
import type { FleetOptions } from './up-options.ts';

interface Running {
  readonly system: ActorSystem;
  readonly actors: FleetActors;
  readonly url: string;
  readonly connection: Connection;
  readonly fleet: string;
  /** Codes of errors that actors ended with, by their path. */
  readonly failures: ReadonlyMap<string, string>;
  /** The texts of the events of one kind. */
  ofKind(kind: FleetEvent['kind']): readonly string[];
  failRouter(): void;
  /** Sends a signal to the nats-server. */
  nats(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  /** Another Shoal on the same data directory, once this one has stopped. */
  again(): Promise<Running>;
  snapshot(): Promise<FleetSnapshot>;
  /** The rows of `ip_pool` that are reserved. */
  reserved(): readonly number[];
}

const DEFECT = 'a defect that a test put in';
const ASK_MS = 10_000;
const LOOKS_MAX = 3_000;
const ADDRESSES = 6;

interface Start {
  /** The router fails in the midst of what it does when it tells the first events of that kind. */
  readonly failAt?: FleetEvent['kind'];
  readonly fresh?: boolean;
}

/** What `startShoal` starts, with its actors within reach. */
async function running(params: Readonly<Record<string, string>>, start: Start = {}): Promise<Running> {
  const dataDir = mkdtempSync(join(tmpdir(), 'shoal-core-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const net = `127.${randomInt(20, 250)}.${randomInt(256)}`;
  return on(dataDir, parsePool(`${net}.1-${net}.${ADDRESSES}:9000`), params, start);
}

async function on(
  dataDir: string,
  pool: readonly Address[],
  params: Readonly<Record<string, string>>,
  { failAt, fresh = false }: Start = {},
): Promise<Running> {
  const cleanUp = new CleanUp();
  onTestFinished(() => cleanUp.run());
  const events: FleetEvent[] = [];
  const failures = new Map<string, string>();
  const onEvent = (one: FleetEvent): void => {
    events.push(one);
    if (one.kind === failAt && events.filter(({ kind }) => kind === failAt).length === 1) throw new Error(DEFECT);
  };
  const options: FleetOptions = {
    dataDir,
    fleet: 'core',
    pool,
    params: { status_interval_ms: '200', ...params },
    routing: 'pack',
    image: defaultImage(),
    shards: 1,
    accelerator: 'auto',
    fresh,
    rebuild: false,
    host: 'here',
    onEvent,
    onProgress: () => undefined,
  };
  const data = await DataDir.open(dataDir);
  cleanUp.add(() => data.close());
  const store = await openTables(options, data, cleanUp);
  const system = createSystem({ onFailure: (path, { code }) => failures.set(path, String(code)) });
  cleanUp.add(() => system.shutdown());
  const launcher = createLauncher();
  cleanUp.add(() => launcher.close());
  const eventLog = new EventLog();
  eventLog.listen(onEvent);
  const onShards = startShards({ options, system, spawner: launcher, tag: data.tag, eventLog }, cleanUp);
  const nats = await startNats({ options, data, system, launcher, eventLog }, cleanUp);
  const image = await inspectImage(options.image);
  const images = await openImageStore(join(data.path, 'image.json'));
  const deps = { options, image, images, data, store, system, nats, eventLog, onShards, onDown: () => undefined };
  const actors = await startFleet(deps, cleanUp);
  const ask = (replyTo: Ref<FleetSnapshot>): RouterMessage => ({ kind: 'snapshot', replyTo });
  return {
    system,
    actors,
    url: nats.connection.shown,
    connection: nats.connection,
    fleet: options.fleet,
    failures,
    stop: () => cleanUp.run(),
    again: () => on(dataDir, pool, params),
    ofKind: (kind) => events.filter((one) => one.kind === kind).map(({ text }) => text),
    failRouter: () => actors.router.tell({ kind: 'snapshot', replyTo: poison() }),
    nats: (signal) => signalProcess(natsServerOf(dataDir), signal),
    snapshot: () => system.ask(actors.router, ask, ASK_MS),
    reserved: () => store.snapshot().ip_pool.flatMap((row) => (row.vm === null ? [] : [row.vm])),
  };
}

function natsServerOf(dataDir: string): ProcessIdentity {
  const server = processesOf({ data: dataDir, pool: '0.0.0.0-' }).find(({ kind }) => kind === 'nats-server');
  if (server === undefined) throw new Error('the nats-server runs');
  return server.identity;
}

/** A reply that cannot be delivered makes whoever sends it fail. */
function poison(): Ref<unknown> {
  return {
    path: 'poison',
    tell: () => {
      throw new Error(DEFECT);
    },
  };
}

function operation(name: string): MsgHdrs {
  const all = headers();
  all.set('Shoal-Op', name);
  return all;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    // pause: until the next look
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it did not come to pass that ${what}`);
}

function ready(fleet: Running, vms: number): Promise<FleetSnapshot> {
  return until(`${vms} VMs are ready`, async () => {
    const seen = await fleet.snapshot();
    return seen.vms.filter(({ state }) => state === 'ready').length === vms ? seen : undefined;
  });
}

const places = ({ vms }: FleetSnapshot): string[] => vms.map((vm) => `${vm.id_vmachine} ${vm.address}`).sort();

/** So many VMs are ready, nobody else runs or holds an address. */
async function settled(fleet: Running, vms: number): Promise<void> {
  await until(`${vms} VMs are all there is`, async () => {
    const { vms: rows, addresses_free } = await fleet.snapshot();
    const ids = rows.map(({ id_vmachine }) => id_vmachine).sort();
    const isSo =
      rows.length === vms && rows.every(({ state }) => state === 'ready') && addresses_free === ADDRESSES - vms;
    if (!isSo || [...fleet.reserved()].sort().join() !== ids.join()) return undefined;
    return (await pids(fleet)).length === vms ? true : undefined;
  });
}

/** The QEMU processes on this fleet's addresses. */
async function pids(fleet: Running): Promise<readonly ProcessIdentity[]> {
  const ask = (replyTo: Ref<readonly VmSummary[]>): ControllerMessage => ({ kind: 'vms', replyTo });
  const known = await fleet.system.ask(fleet.actors.controller, ask, ASK_MS);
  return known.flatMap(({ pid }) => (pid === undefined ? [] : (identify(pid) ?? [])));
}

test('a router that fails is put back, and goes on with the VMs that run: none is started, ended or lost', async () => {
  const fleet = await running({ min_vm_count: '3' });
  await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
  const before = await ready(fleet, 3);
  fleet.failRouter();
  expect((await client.request('still there')).text).toBe('STILL THERE');
  const after = await ready(fleet, 3);
  expect(places(after)).toEqual(places(before));
  expect(fleet.reserved()).toHaveLength(3);
  expect(fleet.ofKind('failed')).toEqual(['the router failed: a defect that a test put in']);
  expect(fleet.ofKind('vm-start')).toHaveLength(3);
  expect(fleet.ofKind('vm-gone')).toEqual([]);
});

test('whatever a router had in hand when it failed is answered, once: done, or to be sent again', async () => {
  const fleet = await running({ min_vm_count: '2' });
  await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
  await ready(fleet, 2);
  const many = Array.from({ length: 40 }, (_, index) => client.request(`text ${index}`));
  const slow = Array.from({ length: 10 }, () => client.request('300', { op: 'spin' }));
  await until('requests are in hand', async () =>
    (await fleet.snapshot()).vms.some((vm) => vm.in_flight > 0) ? true : undefined,
  );
  fleet.failRouter();
  const ended = await Promise.allSettled([...many, ...slow]);
  const outcomes = ended.map((one) =>
    one.status === 'fulfilled' ? one.value.text : (codeOf(one.reason) ?? 'no code'),
  );
  outcomes.forEach((outcome, index) => {
    expect([index < 40 ? `TEXT ${index}` : 'spun 300', 'REQUEST_OVERLOADED']).toContain(outcome);
  });
  expect(outcomes).toContain('REQUEST_OVERLOADED');
  const again = await Promise.all(Array.from({ length: 20 }, (_, index) => client.request(`again ${index}`)));
  expect(again.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, index) => `AGAIN ${index}`));
});

test('a request that a VM worked on when its router failed has one answer', async () => {
  const fleet = await running({ min_vm_count: '1' });
  await ready(fleet, 1);
  const { nc } = fleet.connection;
  const answers: string[] = [];
  const inbox = nc.subscribe('test.answers', {
    callback: (_, message) => answers.push(message.headers?.get('Nats-Service-Error-Code') ?? message.string()),
  });
  nc.publish(subjectsOf(fleet.fleet).process, '700', { reply: 'test.answers', headers: operation('spin') });
  await until('it is in hand', async () => (await fleet.snapshot()).vms.find((vm) => vm.in_flight > 0));
  fleet.failRouter();
  // There is one VM, so this is worked on after that.
  await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
  expect((await client.request('after it')).text).toBe('AFTER IT');
  await nc.flush();
  expect(answers).toEqual(['503']);
  inbox.unsubscribe();
});

test.each(['vm-start', 'vm-prepared', 'vm-booting', 'vm-ready'] as const)(
  'a router that fails at the first %s of a start leaves neither a VM nor an address behind',
  async (kind) => {
    const fleet = await running({ min_vm_count: '3' }, { failAt: kind });
    await settled(fleet, 3);
    expect(fleet.ofKind('failed')).toHaveLength(1);
  },
);

test('a router that fails again while it is told what there is loses nothing either', async () => {
  const fleet = await running({ min_vm_count: '3' }, { failAt: 'vm-adopted' });
  const before = await ready(fleet, 3);
  fleet.failRouter();
  await until('it has failed twice', async () => (fleet.ofKind('failed').length === 2 ? true : undefined));
  await settled(fleet, 3);
  expect(places(await fleet.snapshot()), [...fleet.ofKind('vm-stop'), ...fleet.ofKind('vm-gone')].join('\n')).toEqual(
    places(before),
  );
});

test.each(['vm-drain', 'vm-stop', 'vm-gone', 'address-free'] as const)(
  'a router that fails at the first %s of an end leaves neither a VM nor an address behind',
  async (kind) => {
    const fleet = await running({ free_count: '2' }, { failAt: kind });
    await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
    await Promise.allSettled(Array.from({ length: 4 }, () => client.request('500', { op: 'spin' })));
    await until('the router has failed', async () => (fleet.ofKind('failed').length > 0 ? true : undefined));
    await settled(fleet, 1);
  },
);

test('a controller that fails is put back with a router of its own, and both go on with the VMs that run', async () => {
  // `fresh` is for the first start: these VMs are this fleet's own.
  const fleet = await running({ min_vm_count: '3' }, { fresh: true });
  await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
  const before = await ready(fleet, 3);
  fleet.actors.controller.tell({ kind: 'vms', replyTo: poison() });
  await until('the controller has failed', async () => (fleet.ofKind('failed').length > 0 ? true : undefined));
  const after = await ready(fleet, 3);
  expect(places(after)).toEqual(places(before));
  expect(await pids(fleet)).toHaveLength(3);
  expect((await client.request('still there')).text).toBe('STILL THERE');
  expect(fleet.ofKind('failed')).toEqual(['the controller failed: a defect that a test put in']);
  expect(fleet.ofKind('vm-gone')).toEqual([]);
});

test('R1 restores the minimum although the router restarts at the same time and no NATS server answers', async () => {
  const fleet = await running({ min_vm_count: '2' });
  const before = await ready(fleet, 2);
  const [victim] = await pids(fleet);
  if (victim === undefined) throw new Error('two VMs run');
  fleet.nats('SIGSTOP');
  signalProcess(victim, 'SIGKILL');
  fleet.failRouter();
  await until('the router has failed', async () => (fleet.ofKind('failed').length > 0 ? true : undefined));
  await settled(fleet, 2);
  expect(isAlive(victim)).toBe(false);
  expect(places(await fleet.snapshot())).not.toEqual(places(before));
  fleet.nats('SIGCONT');
  await using client = await connect({ servers: fleet.url, fleet: fleet.fleet, deadlineMs: 60_000 });
  expect((await client.request('back')).text).toBe('BACK');
});

test('a router that keeps failing is given up: that is told, and the VMs go on for the next Shoal', async () => {
  const fleet = await running({ min_vm_count: '2' });
  const before = await ready(fleet, 2);
  const processes = await pids(fleet);
  for (let crash = 1; crash <= 4; crash++) {
    await until('it is there', async () => fleet.snapshot());
    fleet.failRouter();
    await until(`crash ${crash} is told`, async () => (fleet.ofKind('failed').length >= crash ? true : undefined));
  }
  await until('core has given up', async () => fleet.failures.get('/core'));
  expect(fleet.failures.get('/core')).toBe('SUPERVISOR_INTENSITY');
  await fleet.stop();
  for (const one of processes) expect(isAlive(one)).toBe(true);
  const next = await fleet.again();
  expect(places(await ready(next, 2))).toEqual(places(before));
  expect(await pids(next)).toEqual(processes);
});
