import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Probe } from '../../actors/kit/mod.ts';
import { probe } from '../../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type Ref, systemClock } from '../../actors/mod.ts';
import type { Address, HostEvent, VmId } from '../../fleet/mod.ts';
import { identify, isAlive, whenGone } from '../../process/mod.ts';
import type { LogLine } from '../console/guest-log.ts';
import type { HostNotice } from '../notices.ts';
import type { Hypervisor } from '../port.ts';
import {
  answering,
  type EventOf,
  GuestClient,
  of,
  patience,
  type RealHypervisor,
  realHypervisor,
  runDirectoryOf,
  TEST_GUEST_IMAGE,
  usableAccelerators,
} from '../testing/mod.ts';
import type { LogBatch } from '../vm/vm-messages.ts';
import { controller } from './controller.ts';
import type { ControllerMessage } from './controller-messages.ts';
import { type ControllerOptions, MEMORY_MIB, STOP_LIMITS, type VmParameters } from './controller-options.ts';

interface Host extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly events: Probe<HostEvent>;
  readonly notices: Probe<HostNotice>;
  readonly controller: Ref<ControllerMessage>;
  /** Paths of actors that ended with an error. */
  readonly failures: readonly string[];
}

type OrphanedNotice = Extract<HostNotice, { kind: 'vm-orphaned' }>;

const LONG_MS = 30_000;

function parameters({ image }: RealHypervisor): VmParameters {
  return {
    image: image.path,
    imageDigest: image.digest,
    accelerator: 'tcg',
    memoryMib: MEMORY_MIB,
    statusIntervalMs: 100,
    bootTimeoutMs: LONG_MS,
    textBytesMax: 65_536,
    stopLimits: STOP_LIMITS,
  };
}

async function openHost(real: RealHypervisor, overrides: Partial<ControllerOptions> = {}): Promise<Host> {
  const failures: string[] = [];
  const system = createSystem({ onFailure: (path) => failures.push(path) });
  const events = probe<HostEvent>(system, { patience });
  const notices = probe<HostNotice>(system, { patience });
  const ref = await system.start(
    controller({
      host: 'h1',
      hypervisor: real.hypervisor,
      events: events.ref,
      notices: notices.ref,
      logFolder: join(real.folder, 'logs'),
      parameters: parameters(real),
      ...overrides,
    }),
    { name: 'controller', stopTimeoutMs: 60_000 },
  );
  return { system, events, notices, controller: ref, failures, [Symbol.asyncDispose]: () => system.shutdown(60_000) };
}

function gone(host: Host, vm: VmId): Promise<EventOf<'vm-gone'>> {
  return host.events.fishFor<EventOf<'vm-gone'>>(of('vm-gone', vm));
}

function client(real: RealHypervisor, address: Address): Promise<GuestClient> {
  return GuestClient.open(real.hypervisor.connect({ vm: 1, address }), LONG_MS);
}

describe('controller, on real QEMU', () => {
  it.each(usableAccelerators())('prepares, starts, hears and stops a VM under %s', async (accelerator) => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    const address = await real.freeAddress();
    host.controller.tell({ kind: 'set-parameters', parameters: { accelerator } });

    host.controller.tell({ kind: 'prepare', vm: 1, address });
    const prepared = await host.events.fishFor<EventOf<'vm-prepared'>>(of('vm-prepared', 1));
    expect(existsSync(runDirectoryOf(real, 1))).toBe(true);

    host.controller.tell({ kind: 'start', vm: 1 });
    await host.events.fishFor(of('vm-booting', 1));
    const { guest } = await host.events.fishFor<EventOf<'vm-answering'>>(of('vm-answering', 1));
    expect(guest).toMatchObject({ textBytesMax: 65_536, idempotent: true });
    expect(guest.operations).toContain('upper');
    const first = await host.events.fishFor<EventOf<'vm-report'>>(of('vm-report', 1));
    const second = await host.events.fishFor<EventOf<'vm-report'>>(of('vm-report', 1));
    expect(second.report.seq).toBeGreaterThan(first.report.seq);

    const guestClient = await client(real, address);
    expect(await guestClient.request('upper', 'grüße', LONG_MS)).toBe('GRÜSSE');
    guestClient.close();

    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    const end = await gone(host, 1);
    expect(end).toMatchObject({ vm: 1, end: { clean: true, why: 'enough', exitCode: 67 } });
    expect(end.error).toBeUndefined();
    expect(existsSync(runDirectoryOf(real, 1))).toBe(false);
    expect(identify(prepared.pid)).toBe(undefined);
  });

  it('says that it is up, and how much memory its host has', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, { statsIntervalMs: 10 });
    // Memory first: who is told that a host is up may start a VM on it at once.
    const first = await host.events.expect<EventOf<'host-stats'>>({ kind: 'host-stats' });
    await host.events.expect({ kind: 'host-up', vms: [] });
    expect(first.availableBytes).toBeGreaterThan(0);
    expect(first.vmBytes).toBeGreaterThan(MEMORY_MIB * 1024 * 1024);
    await host.events.expect({ kind: 'host-stats' });
  });

  it('tells of a VM that was killed, as of one that nobody wanted to end', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    const { pid } = await answering(real, host, 1);
    process.kill(pid, 'SIGKILL');
    expect(await gone(host, 1)).toMatchObject({
      end: { clean: false, why: 'killed by SIGKILL' },
      error: { code: 'VM_GONE' },
    });
    expect(existsSync(runDirectoryOf(real, 1))).toBe(false);
  });

  it('ends a VM whose QEMU does not answer any more', async () => {
    await using real = await realHypervisor();
    const stopLimits = { consoleMs: 50, quitMs: 50, terminateMs: 50, killMs: 5_000 };
    await using host = await openHost(real, { parameters: { ...parameters(real), stopLimits } });
    const { pid } = await answering(real, host, 1);
    process.kill(pid, 'SIGSTOP');
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'silent' });
    expect(await gone(host, 1)).toMatchObject({ end: { clean: false, why: 'killed by SIGKILL', verdict: 'dead' } });
    expect(existsSync(runDirectoryOf(real, 1))).toBe(false);
  });

  it('ends a guest that hangs with its CPU burning, and says that it was stuck', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    const stopLimits = { ...STOP_LIMITS, consoleMs: 500 };
    await using host = await openHost(real, { parameters: { ...parameters(real), stopLimits } });
    const { address } = await answering(real, host, 1);
    const guestClient = await client(real, address);
    guestClient.ask('hang', Buffer.alloc(0), LONG_MS).catch(() => undefined);
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'stuck' });
    expect(await gone(host, 1)).toMatchObject({ end: { clean: false, verdict: 'stuck' } });
  });

  it('tells of a guest that crashed', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    await using host = await openHost(real);
    const { address } = await answering(real, host, 1);
    const guestClient = await client(real, address);
    guestClient.ask('crash', Buffer.alloc(0), LONG_MS).catch(() => undefined);
    const { end, error } = await gone(host, 1);
    expect(end.clean).toBe(false);
    expect(error?.code).toBe('VM_GONE');
  });

  it('gives up on a guest that does not become ready in time', async () => {
    await using real = await realHypervisor();
    const stopLimits = { ...STOP_LIMITS, quitMs: 50, terminateMs: 50 };
    await using host = await openHost(real, { parameters: { ...parameters(real), bootTimeoutMs: 1, stopLimits } });
    host.controller.tell({ kind: 'prepare', vm: 1, address: await real.freeAddress() });
    const { pid } = await host.events.fishFor<EventOf<'vm-prepared'>>(of('vm-prepared', 1));
    // However late our own timer is, it does not come up before.
    process.kill(pid, 'SIGSTOP');
    host.controller.tell({ kind: 'start', vm: 1 });
    const { error } = await gone(host, 1);
    expect(error?.code).toBe('VM_BOOT_TIMEOUT');
  });

  it('tells why a VM could not be prepared', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, { parameters: { ...parameters(real), image: '/nowhere.elf' } });
    const address = await real.freeAddress();
    host.controller.tell({ kind: 'prepare', vm: 1, address });
    expect(await gone(host, 1)).toMatchObject({ error: { code: 'IMAGE_MISSING' } });
    host.controller.tell({ kind: 'set-parameters', parameters: { image: real.image.path } });
    await answering(real, host, 2);
  });

  it('answers for VMs that it does not have', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    host.controller.tell({ kind: 'stop', vm: 77, reason: 'idle', why: 'x' });
    expect(await gone(host, 77)).toMatchObject({ error: { code: 'VM_UNKNOWN' } });
    host.controller.tell({ kind: 'start', vm: 78 });
    expect(await gone(host, 78)).toMatchObject({ error: { code: 'VM_UNKNOWN' } });
  });

  it('ends all its VMs when it is stopped in order', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    for (const vm of [1, 2, 3]) await answering(real, host, vm);
    await host.system.stop(host.controller, LONG_MS);
    const ends: EventOf<'vm-gone'>[] = [];
    while (ends.length < 3) ends.push(await host.events.fishFor<EventOf<'vm-gone'>>({ kind: 'vm-gone' }));
    expect(ends.map(({ vm }) => vm).sort()).toEqual([1, 2, 3]);
    for (const { end } of ends) expect(end.clean).toBe(true);
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('lets its VMs go on if it is told to, and the next one adopts them as they are', async () => {
    await using real = await realHypervisor();
    let running: { address: Address; pid: number };
    {
      await using host = await openHost(real, { onStop: 'keep-vms' });
      running = await answering(real, host, 1);
      host.controller.tell({ kind: 'prepare', vm: 2, address: await real.freeAddress() });
      await host.events.fishFor(of('vm-prepared', 2));
    }
    const guestClient = await client(real, running.address);
    expect(await guestClient.request('upper', 'on', LONG_MS)).toBe('ON');
    guestClient.close();

    await using host = await openHost(real, { hypervisor: real.again() });
    const first = await host.events.expect<EventOf<'vm-adopted'>>({ kind: 'vm-adopted' });
    const adopted = new Map([[first.vm, first]]);
    for (const vm of [1, 2]) {
      if (!adopted.has(vm)) adopted.set(vm, await host.events.fishFor<EventOf<'vm-adopted'>>(of('vm-adopted', vm)));
    }
    expect(adopted.get(1)).toMatchObject({
      state: 'answering',
      pid: running.pid,
      address: running.address,
      statusIntervalMs: 100,
    });
    expect(adopted.get(2)).toMatchObject({ state: 'prepared' });
    const up =
      host.events.received.find((event) => event.kind === 'host-up') ??
      (await host.events.fishFor<EventOf<'host-up'>>({ kind: 'host-up' }));
    expect(up).toMatchObject({ vms: [1, 2] });
    expect(host.events.received).toContainEqual(expect.objectContaining({ kind: 'vm-answering', vm: 1 }));
    await host.events.fishFor(of('vm-report', 1));
    host.controller.tell({ kind: 'start', vm: 2 });
    await host.events.fishFor(of('vm-answering', 2));
  });

  it('started afresh ends what it finds', async () => {
    await using real = await realHypervisor();
    {
      await using host = await openHost(real, { onStop: 'keep-vms' });
      await answering(real, host, 1);
    }
    await using host = await openHost(real, { hypervisor: real.again(), fresh: true });
    expect(await gone(host, 1)).toMatchObject({ end: { clean: true } });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
    // At no time is it one that could be given work.
    expect(host.events.received.filter(({ kind }) => kind === 'vm-answering')).toEqual([]);
  });

  it('tells of VMs that ended while nobody looked, and cleans up after them', async () => {
    await using real = await realHypervisor();
    let pid: number;
    {
      await using host = await openHost(real, { onStop: 'keep-vms' });
      ({ pid } = await answering(real, host, 1));
    }
    const identity = identify(pid);
    if (identity === undefined) throw new Error('the VM did not go on');
    process.kill(pid, 'SIGKILL');
    expect(await whenGone(identity, LONG_MS, systemClock)).toBe(true);
    await using host = await openHost(real, { hypervisor: real.again() });
    await host.events.expect<HostEvent>(of('vm-gone', 1));
    await host.events.fishFor({ kind: 'host-up', vms: [] });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('reports what it cannot identify, counts it as there, and leaves it alone', async () => {
    await using real = await realHypervisor();
    const machine = await real.hypervisor.prepare(await real.spec());
    await machine.release();
    const manifest = join(runDirectoryOf(real, 1), 'manifest.json');
    const text = readFileSync(manifest);
    writeFileSync(manifest, 'damaged');
    await using host = await openHost(real, { hypervisor: real.again(), fresh: true });
    await host.notices.expect({ kind: 'unknown-found', directory: runDirectoryOf(real, 1) });
    await host.events.fishFor({ kind: 'host-up', vms: [1] });
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'x' });
    await host.notices.expect({ kind: 'vm-unidentified', vm: 1 });
    expect(isAlive(machine.process)).toBe(true);
    writeFileSync(manifest, text);
  });

  it('whose actor of a VM crashes goes on with the VM as if nothing had been', async () => {
    await using real = await realHypervisor();
    const failCallback = failCallbacks(real.hypervisor);
    await using host = await openHost(real);
    const { pid } = await answering(real, host, 1);
    const seq = lastSeq(host);
    failCallback();
    await host.events.fishFor<HostEvent>((event) => event.kind === 'vm-report' && event.report.seq > seq + 2);
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    expect(await gone(host, 1)).toMatchObject({ end: { clean: true } });
    expect(host.failures).toEqual([expect.stringContaining('/vm-1')]);
    expect(host.events.received.filter((event) => event.kind === 'vm-answering')).toHaveLength(1);
    expect(identify(pid)).toBeUndefined();
  });

  it('ends a VM that it has to take over and whose run directory somebody has removed', async () => {
    await using real = await realHypervisor();
    const failCallback = failCallbacks(real.hypervisor);
    await using host = await openHost(real);
    const { pid } = await answering(real, host, 1);
    rmSync(runDirectoryOf(real, 1), { recursive: true });
    failCallback();
    expect(await gone(host, 1)).toMatchObject({ end: { clean: false }, error: { code: 'VM_GONE' } });
    expect(identify(pid)).toBeUndefined();
    await host.notices.fishFor({ kind: 'vm-orphaned', vm: 1 });
  });

  it('goes on with a VM whose run directory somebody has removed while it has it in hand, and ends it when told', async () => {
    await using real = await realHypervisor();
    const stopLimits = { ...STOP_LIMITS, consoleMs: 200 };
    await using host = await openHost(real, { parameters: { ...parameters(real), stopLimits } });
    const { pid } = await answering(real, host, 1);
    rmSync(real.fleetDirectory, { recursive: true });
    const seq = lastSeq(host);
    await host.events.fishFor<HostEvent>((event) => event.kind === 'vm-report' && event.report.seq > seq);
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    await gone(host, 1);
    expect(identify(pid)).toBeUndefined();
  });

  it('ends, when it starts, the VMs whose run directories somebody has removed', async () => {
    await using real = await realHypervisor();
    const pids: number[] = [];
    {
      await using host = await openHost(real, { onStop: 'keep-vms' });
      for (const vm of [1, 2]) pids.push((await answering(real, host, vm)).pid);
    }
    rmSync(real.fleetDirectory, { recursive: true });
    await using host = await openHost(real, { hypervisor: real.again() });
    await host.events.fishFor<EventOf<'host-up'>>((event) => event.kind === 'host-up');
    for (const vm of [1, 2])
      expect(host.events.received).toContainEqual(expect.objectContaining({ kind: 'vm-gone', vm }));
    expect(host.events.received).toContainEqual(expect.objectContaining({ kind: 'host-up', vms: [] }));
    expect(pids.map(identify)).toEqual([undefined, undefined]);
    const orphans: number[] = [];
    for (let n = 0; n < 2; n++) orphans.push((await host.notices.fishFor<OrphanedNotice>({ kind: 'vm-orphaned' })).vm);
    expect(orphans.sort()).toEqual([1, 2]);
  });

  it('tells of all its VMs again when it is asked to, whatever they are doing, and then that it is up', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    await answering(real, host, 1);
    host.controller.tell({ kind: 'prepare', vm: 2, address: await real.freeAddress() });
    await host.events.fishFor(of('vm-prepared', 2));
    const seen = host.events.received.length;
    host.controller.tell({ kind: 'prepare', vm: 3, address: await real.freeAddress() });
    host.controller.tell({ kind: 'announce', census: 1 });
    await host.events.fishFor<EventOf<'host-up'>>((event) => event.kind === 'host-up' && event.vms?.length === 3);
    const told = host.events.received.slice(seen).flatMap((event) => (event.kind === 'vm-adopted' ? [event] : []));
    const states = told.map(({ vm, state }) => `${vm} ${state}`).sort();
    expect(states).toEqual(['1 answering', '2 prepared', '3 prepared']);
    const kinds = host.events.received.slice(seen).map(({ kind }) => kind);
    expect(kinds).toContain('vm-answering');
    expect(kinds).not.toContain('vm-prepared');
    // Reports and measurements come whenever they come.
    expect(kinds.filter((kind) => kind !== 'vm-report' && kind !== 'host-stats').at(-1)).toBe('host-up');
  });

  it('keeps the log of a guest, harmless and bounded, whatever the guest prints', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    await using host = await openHost(real);
    const { address } = await answering(real, host, 1);
    const guestClient = await client(real, address);
    await guestClient.ask('flood', Buffer.from('200'), LONG_MS);
    await host.events.fishFor(of('vm-report', 1));
    await host.events.fishFor(of('vm-report', 1));
    const reports = host.events.received.filter((event) => event.kind === 'vm-report').map(({ report }) => report);
    for (const { cpuPercent, ramBytes } of reports) {
      expect(cpuPercent).toBeLessThanOrEqual(100);
      expect(ramBytes).toBeLessThanOrEqual(MEMORY_MIB * 1024 * 1024);
    }
    const lines = await logs(host, 1, 10_000);
    expect(lines.length).toBeLessThanOrEqual(1_000);
    expect(lines.length).toBeGreaterThan(0);
    for (const { text } of lines) expect(text).not.toMatch(/\p{Cc}/u);
    expect(await guestClient.request('upper', 'well', LONG_MS)).toBe('WELL');
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    await gone(host, 1);
    const kept = await logs(host, 1, 5);
    expect(kept.at(-1)?.text).toContain('the VM is gone');
    expect(await logs(host, 2, 5)).toEqual([]);
  });

  it('tells the log of a guest to whoever follows it, to its end', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real);
    await answering(real, host, 1);
    const follower = probe<LogBatch>(host.system, { patience });
    host.controller.tell({ kind: 'follow-logs', vm: 1, to: follower.ref });
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    await follower.fishFor<LogBatch>(({ ended }) => ended);
    const lines = follower.received.flatMap((batch) => batch.lines.map(({ text }) => text));
    expect(lines.join('\n')).toContain('the VM is gone');
  });
});

/** Lets the test fail a callback of the next machine, as a mistake of ours in it would. */
function failCallbacks(hypervisor: Hypervisor): () => void {
  const prepare = hypervisor.prepare.bind(hypervisor);
  let fail = (): void => undefined;
  hypervisor.prepare = async (spec) => {
    const machine = await prepare(spec);
    const onConsole = machine.onConsole.bind(machine);
    machine.onConsole = (listener) => {
      // What is no byte array makes whoever looks at its bytes throw.
      fail = () => listener(undefined as unknown as Uint8Array);
      onConsole(listener);
    };
    return machine;
  };
  return () => fail();
}

function lastSeq(host: Host): number {
  return Math.max(0, ...host.events.received.map((event) => (event.kind === 'vm-report' ? event.report.seq : 0)));
}

function logs(host: Host, vm: VmId, linesMax: number): Promise<readonly LogLine[]> {
  const message = (replyTo: Ref<readonly LogLine[]>): ControllerMessage => ({ kind: 'logs', vm, linesMax, replyTo });
  return host.system.ask(host.controller, message, LONG_MS);
}
