import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';

describe('the memory of a host', () => {
  const GIB = 1024 ** 3;
  const memory = (availableBytes: number, vmBytes = GIB / 4) =>
    ({ kind: 'host-memory', memory: { availableBytes, vmBytes }, nowMs: 0 }) as const;

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])('is not taken for %s bytes', (bytes) => {
    const { fleet } = new BareFleet();
    expect([fleet.apply(memory(bytes)), fleet.apply(memory(GIB, bytes))]).toEqual([false, false]);
    expect([fleet.host.memory, fleet.host.heardMs]).toEqual([undefined, undefined]);
  });

  it('does not show VMs that were not ready when it was told, nor those that have gone', () => {
    const bare = new BareFleet().booting(1).preparing(2, { spare: true }).mute(3);
    expect(bare.fleet.unmeasured).toBe(3);
    bare.apply(memory(GIB));
    expect(bare.fleet.unmeasured).toBe(2);
    bare.link(1, true);
    expect(bare.fleet.unmeasured).toBe(2);
    bare.apply({ kind: 'vm-gone', vm: 2 });
    expect(bare.fleet.unmeasured).toBe(1);
    bare.apply(memory(GIB));
    expect(bare.fleet.unmeasured).toBe(0);
  });

  it('shows a spare that has booted, and none whose CPU has not run', () => {
    const bare = new BareFleet().prepared(1, { spare: true }).prepared(2, { spare: true });
    bare.apply({ kind: 'vm-spare-booted', vm: 1, booted: 'asked' });
    bare.apply(memory(GIB));
    expect(bare.fleet.unmeasured).toBe(2);
    bare.apply({ kind: 'vm-spare-booted', vm: 1, booted: 'yes' });
    bare.apply(memory(GIB));
    expect(bare.fleet.unmeasured).toBe(1);
  });

  it('shows a VM that was adopted while it ran', () => {
    const bare = new BareFleet().preparing(1, { state: 'stopping', adopted: { pid: 5, imageDigest: undefined } });
    expect(bare.fleet.unmeasured).toBe(0);
  });
});

describe('a host out of reach', () => {
  it('has no capacity, no spares and no free addresses', () => {
    const { fleet } = new BareFleet()
      .booting(1)
      .prepared(2, { spare: true })
      .ready(3)
      .apply({ kind: 'host-away', nowMs: 0 });
    expect([fleet.starting, fleet.spares, fleet.freeVm, fleet.leastLoaded]).toEqual([0, 0, undefined, undefined]);
    expect([...fleet.freeAddresses(0)]).toEqual([]);
  });
});
