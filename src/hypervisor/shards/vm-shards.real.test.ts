import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Probe, probe } from '../../actors/kit/mod.ts';
import { createSystem, type Ref, systemClock } from '../../actors/mod.ts';
import type { HostEvent, VmId } from '../../fleet/mod.ts';
import { identify, whenGone } from '../../process/mod.ts';
import type { ShardEvent } from '../../shards/mod.ts';
import { controller } from '../controller/controller.ts';
import type { ControllerMessage, VmSummary } from '../controller/controller-messages.ts';
import { type ControllerOptions, MEMORY_MIB, STOP_LIMITS } from '../controller/controller-options.ts';
import {
  answering,
  type EventOf,
  GuestClient,
  of,
  patience,
  type RealHypervisor,
  realHypervisor,
} from '../testing/mod.ts';
import { startVmShards, type VmShards } from './vm-shards.ts';

const LONG_MS = 30_000;

interface Host extends AsyncDisposable {
  readonly events: Probe<HostEvent>;
  readonly shardEvents: Probe<ShardEvent>;
  readonly controller: Ref<ControllerMessage>;
  readonly shards: VmShards['shards'];
  /** Paths of actors that ended with an error. */
  readonly failures: readonly string[];
  vms(): Promise<readonly VmSummary[]>;
}

/** A controller whose VMs are watched from worker threads. */
async function openHost(
  real: RealHypervisor,
  count: number,
  overrides: Partial<ControllerOptions> = {},
): Promise<Host> {
  process.env['SHOAL_TEST_FAULTS'] = '1';
  const failures: string[] = [];
  const system = createSystem({ onFailure: (path, { code }) => failures.push(`${path} ${code}`) });
  const events = probe<HostEvent>(system, { patience });
  const shardEvents = probe<ShardEvent>(system, { patience });
  const { home, shards } = startVmShards({
    system,
    count,
    qemu: { fleetTag: 't', runtimeRoot: real.root },
    spawner: real.launcher,
    onEvent: (event) => shardEvents.ref.tell(event),
  });
  const ref = await system.start(
    controller({
      host: 'h1',
      hypervisor: real.hypervisor,
      home,
      events: events.ref,
      logFolder: join(real.folder, 'logs'),
      parameters: {
        image: real.image.path,
        imageDigest: real.image.digest,
        accelerator: 'tcg',
        memoryMib: MEMORY_MIB,
        statusIntervalMs: 100,
        bootTimeoutMs: LONG_MS,
        textBytesMax: 65_536,
        stopLimits: STOP_LIMITS,
      },
      ...overrides,
    }),
    { name: 'controller', stopTimeoutMs: 60_000 },
  );
  return {
    events,
    shardEvents,
    controller: ref,
    shards,
    failures,
    vms: () =>
      system.ask<ControllerMessage, readonly VmSummary[]>(ref, (replyTo) => ({ kind: 'vms', replyTo }), LONG_MS),
    async [Symbol.asyncDispose]() {
      await system.stop(ref, 60_000);
      await shards.stop();
      await system.shutdown(60_000);
    },
  };
}

function lost(host: Host): Promise<ShardEvent> {
  return host.shardEvents.fishFor<ShardEvent>({ kind: 'shard-lost' });
}

/** Resolves when the VM reports what it had not reported so far. */
async function reportsAgain(host: Host, vm: VmId): Promise<void> {
  const seqs = host.events.received.flatMap((event) =>
    event.kind === 'vm-report' && event.vm === vm ? event.report.seq : [],
  );
  const last = Math.max(0, ...seqs);
  await host.events.fishFor<HostEvent>(
    (event) => event.kind === 'vm-report' && event.vm === vm && event.report.seq > last,
  );
}

/** An event that has come already, or comes. */
async function seen(host: Host, matches: (event: HostEvent) => boolean): Promise<HostEvent> {
  return host.events.received.find(matches) ?? (await host.events.fishFor(matches));
}

async function stopped(host: Host, vm: VmId): Promise<EventOf<'vm-gone'>> {
  host.controller.tell({ kind: 'stop', vm, reason: 'idle', why: 'enough' });
  return host.events.fishFor<EventOf<'vm-gone'>>(of('vm-gone', vm));
}

describe('VMs on shards, on real QEMU', () => {
  it('are prepared, started, heard and stopped', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 2);
    const [one, two] = [await answering(real, host, 1), await answering(real, host, 2)];
    const made = { imageDigest: real.image.digest, accelerator: 'tcg', qemu: undefined, network: 'user' };
    expect(await host.vms()).toEqual([
      { ...made, vm: 1, address: one.address, pid: one.pid, shard: 0 },
      { ...made, vm: 2, address: two.address, pid: two.pid, shard: 1 },
    ]);
    await reportsAgain(host, 1);
    expect(await stopped(host, 1)).toMatchObject({ end: { clean: true, why: 'enough', exitCode: 67 } });
    expect(identify(one.pid)).toBeUndefined();
    expect(host.failures).toEqual([]);
  });

  it.each(['exit', 'throw', 'out-of-memory', 'loop'])('go on when their shard is lost (%s)', async (how) => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 2);
    const [one, two] = [await answering(real, host, 1), await answering(real, host, 2)];
    const guest = await GuestClient.open(real.hypervisor.connect({ vm: 1, address: one.address }), LONG_MS);
    const told = host.events.received.length;
    await host.shards.injectFault(0, how);
    await lost(host);
    expect(await guest.request('upper', 'hello', LONG_MS)).toBe('HELLO');
    await reportsAgain(host, 1);
    await reportsAgain(host, 2);
    // Nobody but us has noticed.
    expect(
      host.events.received.slice(told).filter(({ kind }) => kind !== 'vm-report' && kind !== 'host-stats'),
    ).toEqual([]);
    expect((await host.vms()).map(({ pid, shard }) => ({ pid, shard }))).toEqual([
      { pid: one.pid, shard: 1 },
      { pid: two.pid, shard: 1 },
    ]);
    expect(await guest.request('upper', 'again', LONG_MS)).toBe('AGAIN');
    guest.close();
    expect(await stopped(host, 1)).toMatchObject({ end: { clean: true } });
    expect(host.failures).toEqual(['/controller/vms/vm-1 SHARD_LOST']);
  });

  it('go on when the only shard is lost', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 1);
    const { pid } = await answering(real, host, 1);
    host.shards.replace(0, 'a test');
    await lost(host);
    await reportsAgain(host, 1);
    expect(await host.vms()).toMatchObject([{ vm: 1, pid, shard: 0 }]);
    expect(await stopped(host, 1)).toMatchObject({ end: { clean: true } });
  });

  it('do what they were told while their shard was lost', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 1);
    await answering(real, host, 1);
    const address = await real.freeAddress();
    host.controller.tell({ kind: 'prepare', vm: 2, address });
    await host.events.fishFor(of('vm-prepared', 2));
    await host.shards.injectFault(0, 'loop');
    // The thread reads none of these any more.
    await host.shards.stats();
    host.controller.tell({ kind: 'start', vm: 2 });
    host.controller.tell({ kind: 'stop', vm: 1, reason: 'idle', why: 'enough' });
    await seen(host, of('vm-answering', 2));
    expect(await seen(host, of('vm-gone', 1))).toMatchObject({ end: { clean: true, why: 'enough' } });
    await reportsAgain(host, 2);
  });

  it('that are being prepared when their shard is lost come to something, and leave nothing', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 2);
    const vms = [1, 2, 3, 4, 5, 6];
    for (const vm of vms) {
      host.controller.tell({ kind: 'prepare', vm, address: await real.freeAddress() });
      host.controller.tell({ kind: 'start', vm });
    }
    await host.events.fishFor<HostEvent>(({ kind }) => kind === 'vm-prepared');
    host.shards.replace(0, 'a test');
    for (const vm of vms) {
      await seen(host, (event) => of('vm-answering', vm)(event) || of('vm-gone', vm)(event));
    }
    const gone = host.events.received.flatMap((event) => (event.kind === 'vm-gone' ? event.vm : []));
    const left = vms.filter((vm) => !gone.includes(vm));
    expect((await host.vms()).map(({ vm }) => vm)).toEqual(left);
    expect(readdirSync(real.fleetDirectory).map(Number).sort()).toEqual(left);
    for (const vm of left) expect(await stopped(host, vm)).toMatchObject({ end: { clean: true } });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('that end while their shard is lost are told of', async () => {
    await using real = await realHypervisor();
    await using host = await openHost(real, 1);
    const { pid } = await answering(real, host, 1);
    const identity = identify(pid);
    if (identity === undefined) throw new Error('the VM runs');
    await host.shards.injectFault(0, 'loop');
    await host.shards.stats();
    process.kill(pid, 'SIGKILL');
    expect(await whenGone(identity, LONG_MS, systemClock)).toBe(true);
    expect(await host.events.fishFor(of('vm-gone', 1))).toMatchObject({ end: { clean: false } });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('are left to the next Shoal, and adopted', async () => {
    await using real = await realHypervisor();
    let pid = 0;
    {
      await using host = await openHost(real, 2, { onStop: 'keep-vms' });
      ({ pid } = await answering(real, host, 1));
    }
    await using host = await openHost(real, 2, { hypervisor: real.again() });
    expect(await host.events.fishFor(of('vm-adopted', 1))).toMatchObject({ pid, state: 'answering' });
    await reportsAgain(host, 1);
  });
});
