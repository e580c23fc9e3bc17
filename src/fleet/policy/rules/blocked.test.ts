import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { blockageOf } from '../blockage.ts';
import { wantedBlockage } from './blocked.ts';

const GIB = 1024 ** 3;
const NO_MEMORY = { kind: 'host-memory', memory: { availableBytes: GIB, vmBytes: GIB / 4 }, nowMs: 0 } as const;
const RESERVE = { host_memory_reserve_bytes: GIB };

describe('the reason why no VM can be started', () => {
  it('is that the host has not told what it adopted', () => {
    const bare = new BareFleet({ isUp: false });
    expect(blockageOf(bare.fleet, 0)).toMatchObject({ cause: 'host', text: expect.stringContaining('not told') });
  });

  it('is that the host is out of reach', () => {
    const bare = new BareFleet().apply({ kind: 'host-away', nowMs: 0 });
    expect(blockageOf(bare.fleet, 0)).toMatchObject({ cause: 'host', text: expect.stringContaining('out of reach') });
  });

  it('is that the store gives no id', () => {
    const bare = new BareFleet().apply({ kind: 'no-id', untilMs: 1_000 });
    expect([999, 1_000].map((nowMs) => blockageOf(bare.fleet, nowMs)?.cause)).toEqual(['no-id', undefined]);
  });

  it('is the memory reserve', () => {
    const bare = new BareFleet({ params: RESERVE }).apply(NO_MEMORY);
    expect(blockageOf(bare.fleet, 0)).toMatchObject({
      cause: 'memory',
      figures: { available_bytes: GIB, vm_bytes: GIB / 4, host_memory_reserve_bytes: GIB },
    });
  });

  it('is that VMs or other programs have all addresses', () => {
    const bare = new BareFleet({ addresses: 2 }).ready(1).booting(2);
    bare.bindFails(2).apply({ kind: 'released', vm: 2 });
    expect(blockageOf(bare.fleet, 0)).toMatchObject({
      cause: 'addresses',
      text: expect.stringContaining('1 are taken by other programs'),
      figures: { addresses: 2, held: 1, set_aside: 1 },
    });
    expect(blockageOf(bare.fleet, 250)).toBeUndefined();
  });

  it('is the back-off of an image that keeps crashing', () => {
    const bare = new BareFleet();
    for (const vm of [1, 2]) bare.booting(vm).crash(vm);
    expect(blockageOf(bare.fleet, 50)).toMatchObject({ cause: 'back-off', figures: { failures: 2, wait_ms: 200 } });
    expect(blockageOf(bare.fleet, 250)).toBeUndefined();
  });

  it('is the addresses rather than the back-off, after which there would still be none', () => {
    const bare = new BareFleet({ addresses: 2 });
    for (const vm of [1, 2]) bare.booting(vm).crash(vm);
    expect(blockageOf(bare.fleet, 50)).toMatchObject({ cause: 'addresses', figures: { held: 2 } });
  });

  it('is none while there is a spare', () => {
    const bare = new BareFleet({ addresses: 1, params: RESERVE }).prepared(1, { spare: true }).apply(NO_MEMORY);
    expect(blockageOf(bare.fleet, 0)).toBeUndefined();
  });
});

describe('a missing VM that cannot be started', () => {
  it('is told once, with the reason', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 2 }, addresses: 1 });
    await fleet.advance(9_000);
    expect(fleet.eventsOf('blocked')).toMatchObject([
      { rule: 'R1', figures: { addresses: 1, held: 1 }, text: expect.stringContaining('no address is free') },
    ]);
  });

  it('is told with R3 if requests wait for it', async () => {
    await using fleet = new FakeFleet({ pool: [] });
    fleet.send();
    await fleet.settle();
    expect(fleet.eventsOf('blocked')).toMatchObject([{ rule: 'R3', figures: { addresses: 0 } }]);
  });

  it('is told again for another reason, and after it could be started for a while', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1, ...RESERVE }, pool: [] });
    const memory = (availableBytes: number) => fleet.event({ kind: 'host-stats', availableBytes, vmBytes: GIB / 4 });
    memory(GIB);
    await fleet.advance(500);
    memory(2 * GIB);
    await fleet.advance(500);
    fleet.router.tell({ kind: 'add-addresses', addresses: [{ id: 1, ip: '10.0.0.1', port: 9_000 }] });
    await fleet.advance(500);
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
    memory(GIB);
    await fleet.advance(500);
    expect(fleet.eventsOf('blocked').map(({ text }) => text)).toEqual([
      expect.stringContaining('host_memory_reserve_bytes'),
      expect.stringContaining('the address pool is empty'),
      expect.stringContaining('host_memory_reserve_bytes'),
    ]);
  });

  it('is not told of while Shoal ends', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, addresses: 1, obeys: ['prepare', 'start'] });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    fleet.router.tell({ kind: 'drain', limitMs: 60_000, replyTo: { path: 'app', tell: () => true } });
    fleet.router.tell({ kind: 'remove-address', id: 1, replyTo: { path: 'admin', tell: () => true } });
    fleet.gone(1);
    await fleet.advance(100);
    expect(await fleet.snapshot()).toMatchObject({ vms: [{ id_vmachine: 2 }] });
    fleet.event({ kind: 'host-stats', availableBytes: 1, vmBytes: 1 });
    await fleet.advance(1_000);
    expect(fleet.eventsOf('blocked')).toEqual([]);
  });
});

describe('a VM counts as missing', () => {
  const isMissing = (bare: BareFleet) => wantedBlockage(bare.fleet, bare.nowMs) !== undefined;
  const full = (minimum: number, addresses = 1) => new BareFleet({ addresses, params: { min_vm_count: minimum } });

  it('if fewer than the minimum are ready or starting, and Shoal goes on', () => {
    expect(isMissing(full(1).ready(1))).toBe(false);
    expect(isMissing(full(2).ready(1))).toBe(true);
    expect(isMissing(full(2, 2).ready(1).booting(2))).toBe(false);
    expect(isMissing(full(2).ready(1).apply({ kind: 'closing' }))).toBe(false);
  });

  it('if requests wait and none is ready or starting', () => {
    expect(isMissing(new BareFleet({ addresses: 1 }).apply({ kind: 'address-removed', id: 1 }).wait(1))).toBe(true);
    expect(isMissing(full(0).ready(1).wait(1))).toBe(false);
    expect(isMissing(full(0).booting(1).wait(1))).toBe(false);
  });

  it('unless one is about to give its address back', () => {
    const draining = full(1).ready(1).apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'x', ejected: false });
    expect(isMissing(draining)).toBe(false);
    const stopping = draining.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'x', nowMs: 0 });
    expect(isMissing(stopping)).toBe(false);
    const releasing = stopping.apply({ kind: 'vm-gone', vm: 1 });
    expect(isMissing(releasing)).toBe(false);
    releasing.apply({ kind: 'released', vm: 1 }, { kind: 'address-removed', id: 1 });
    expect(isMissing(releasing)).toBe(true);
  });
});
