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

interface House extends AsyncDisposable {
  readonly events: Probe<HostEvent>;
  readonly news: Probe<ShardEvent>;
  readonly controller: Ref<ControllerMessage>;
  readonly shards: VmShards['shards'];
  /** Paths of actors that ended with an error. */
  readonly failures: readonly string[];
  vms(): Promise<readonly VmSummary[]>;
}

/** A controller whose VMs are watched from worker threads. */
async function house(real: RealHypervisor, count: number, overrides: Partial<ControllerOptions> = {}): Promise<House> {
  process.env['SHOAL_TEST_MISHAPS'] = '1';
  const failures: string[] = [];
  const system = createSystem({ onFailure: (path, { code }) => failures.push(`${path} ${code}`) });
  const events = probe<HostEvent>(system, { patience });
  const news = probe<ShardEvent>(system, { patience });
  const { home, shards } = startVmShards({
    system,
    count,
    qemu: { fleetTag: 't', runtimeRoot: real.root },
    spawner: real.launcher,
    onEvent: (one) => news.ref.tell(one),
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
    news,
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

function lost(it: House): Promise<ShardEvent> {
  return it.news.fishFor<ShardEvent>({ kind: 'shard-lost' });
}

/** Resolves when the VM reports what it had not reported so far. */
async function reportsAgain(it: House, vm: VmId): Promise<void> {
  const seqs = it.events.received.flatMap((event) =>
    event.kind === 'vm-report' && event.vm === vm ? event.report.seq : [],
  );
  const last = Math.max(0, ...seqs);
  await it.events.fishFor<HostEvent>(
    (event) => event.kind === 'vm-report' && event.vm === vm && event.report.seq > last,
  );
}

/** An event that has come already, or comes. */
async function seen(it: House, isIt: (event: HostEvent) => boolean): Promise<HostEvent> {
  return it.events.received.find(isIt) ?? (await it.events.fishFor(isIt));
}

async function stopped(it: House, vm: VmId): Promise<EventOf<'vm-gone'>> {
  it.controller.tell({ kind: 'stop', vm, why: 'enough' });
  return it.events.fishFor<EventOf<'vm-gone'>>(of('vm-gone', vm));
}

describe('VMs on shards, on real QEMU', () => {
  it('are prepared, started, heard and stopped', async () => {
    await using real = await realHypervisor();
    await using it = await house(real, 2);
    const [one, two] = [await answering(real, it, 1), await answering(real, it, 2)];
    expect(await it.vms()).toEqual([
      { vm: 1, address: one.address, pid: one.pid, shard: 0 },
      { vm: 2, address: two.address, pid: two.pid, shard: 1 },
    ]);
    await reportsAgain(it, 1);
    expect(await stopped(it, 1)).toMatchObject({ end: { clean: true, why: 'enough', exitCode: 67 } });
    expect(identify(one.pid)).toBeUndefined();
    expect(it.failures).toEqual([]);
  });

  it.each(['exit', 'throw', 'out-of-memory', 'loop'])('go on when their shard is lost (%s)', async (how) => {
    await using real = await realHypervisor();
    await using it = await house(real, 2);
    const [one, two] = [await answering(real, it, 1), await answering(real, it, 2)];
    const guest = await GuestClient.open(real.hypervisor.connect(one.address), LONG_MS);
    const told = it.events.received.length;
    await it.shards.mishap(0, how);
    await lost(it);
    expect(await guest.request('upper', 'hello', LONG_MS)).toBe('HELLO');
    await reportsAgain(it, 1);
    await reportsAgain(it, 2);
    // Nobody but us has noticed.
    expect(it.events.received.slice(told).filter(({ kind }) => kind !== 'vm-report' && kind !== 'host-stats')).toEqual(
      [],
    );
    expect((await it.vms()).map(({ pid, shard }) => ({ pid, shard }))).toEqual([
      { pid: one.pid, shard: 1 },
      { pid: two.pid, shard: 1 },
    ]);
    expect(await guest.request('upper', 'again', LONG_MS)).toBe('AGAIN');
    guest.close();
    expect(await stopped(it, 1)).toMatchObject({ end: { clean: true } });
    expect(it.failures).toEqual(['/controller/vms/vm-1/vm SHARD_LOST']);
  });

  it('go on when the only shard is lost', async () => {
    await using real = await realHypervisor();
    await using it = await house(real, 1);
    const { pid } = await answering(real, it, 1);
    it.shards.replace(0, 'a test');
    await lost(it);
    await reportsAgain(it, 1);
    expect(await it.vms()).toMatchObject([{ vm: 1, pid, shard: 0 }]);
    expect(await stopped(it, 1)).toMatchObject({ end: { clean: true } });
  });

  it('do what they were told while their shard was lost', async () => {
    await using real = await realHypervisor();
    await using it = await house(real, 1);
    await answering(real, it, 1);
    const address = await real.freeAddress();
    it.controller.tell({ kind: 'prepare', vm: 2, address });
    await it.events.fishFor(of('vm-prepared', 2));
    await it.shards.mishap(0, 'loop');
    // The thread reads none of these any more.
    await it.shards.stats();
    it.controller.tell({ kind: 'start', vm: 2 });
    it.controller.tell({ kind: 'stop', vm: 1, why: 'enough' });
    await seen(it, of('vm-answering', 2));
    expect(await seen(it, of('vm-gone', 1))).toMatchObject({ end: { clean: true, why: 'enough' } });
    await reportsAgain(it, 2);
  });

  it('that are being prepared when their shard is lost come to something, and leave nothing', async () => {
    await using real = await realHypervisor();
    await using it = await house(real, 2);
    const vms = [1, 2, 3, 4, 5, 6];
    for (const vm of vms) {
      it.controller.tell({ kind: 'prepare', vm, address: await real.freeAddress() });
      it.controller.tell({ kind: 'start', vm });
    }
    await it.events.fishFor<HostEvent>(({ kind }) => kind === 'vm-prepared');
    it.shards.replace(0, 'a test');
    for (const vm of vms) {
      await seen(it, (event) => of('vm-answering', vm)(event) || of('vm-gone', vm)(event));
    }
    const gone = it.events.received.flatMap((event) => (event.kind === 'vm-gone' ? event.vm : []));
    const left = vms.filter((vm) => !gone.includes(vm));
    expect((await it.vms()).map(({ vm }) => vm)).toEqual(left);
    expect(readdirSync(real.fleetDirectory).map(Number).sort()).toEqual(left);
    for (const vm of left) expect(await stopped(it, vm)).toMatchObject({ end: { clean: true } });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('that end while their shard is lost are told of', async () => {
    await using real = await realHypervisor();
    await using it = await house(real, 1);
    const { pid } = await answering(real, it, 1);
    const identity = identify(pid);
    if (identity === undefined) throw new Error('the VM runs');
    await it.shards.mishap(0, 'loop');
    await it.shards.stats();
    process.kill(pid, 'SIGKILL');
    expect(await whenGone(identity, LONG_MS, systemClock)).toBe(true);
    expect(await it.events.fishFor(of('vm-gone', 1))).toMatchObject({ end: { clean: false } });
    expect(readdirSync(real.fleetDirectory)).toEqual([]);
  });

  it('are left to the next Shoal, and adopted', async () => {
    await using real = await realHypervisor();
    let pid = 0;
    {
      await using it = await house(real, 2, { onStop: 'keep-vms' });
      ({ pid } = await answering(real, it, 1));
    }
    await using it = await house(real, 2, { hypervisor: real.again() });
    expect(await it.events.fishFor(of('vm-adopted', 1))).toMatchObject({ pid, state: 'answering' });
    await reportsAgain(it, 1);
  });
});
