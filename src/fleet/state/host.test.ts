import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { HostRecord } from './host.ts';

type End = Parameters<HostRecord['countEnd']>[0];

/** A VM that was ready from the given time on. */
function vm(fields: Partial<End> = {}): End {
  return { state: 'ready', failed: false, readyMs: 0, startedMs: 0, ...fields };
}

/** A host on which VMs of a second each have crashed at the given times. */
function crashed(...atMs: readonly number[]): HostRecord {
  const host = new HostRecord('here');
  for (const ms of atMs) host.countEnd(vm({ startedMs: ms - 1_000, readyMs: ms - 1_000 }), false, ms, ms);
  return host;
}

describe('the failures of a host', () => {
  it('make the next VM wait: not at all after the first, then 250 ms, doubling up to 30 s', () => {
    const host = new HostRecord('here');
    const waitsMs = Array.from({ length: 12 }, () => {
      host.countEnd(vm(), false, 0, 0);
      return host.notBeforeMs;
    });
    expect(waitsMs).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it.each([
    ['9 999 ms', 9_999, 4],
    ['10 s', 10_000, 1],
  ])('begin anew with a VM that was ready for %s', (_how, lifeMs, failures) => {
    const host = crashed(1_000, 2_000, 3_000);
    const endMs = 4_000 + lifeMs;
    host.countEnd(vm({ startedMs: 3_500, readyMs: 4_000 }), false, endMs, endMs);
    expect(host.failures).toBe(failures);
  });

  it('are over once a VM has reported for 10 s that was started after the last', () => {
    const host = crashed(1_000, 2_000, 3_000);
    host.countSound(vm({ startedMs: 3_500, readyMs: 4_000 }), 13_999);
    expect(host.failures).toBe(3);
    host.countSound(vm({ startedMs: 3_500, readyMs: undefined }), 14_000);
    expect(host.failures).toBe(3);
    host.countSound(vm({ startedMs: 3_500, readyMs: 4_000 }), 14_000);
    expect(host.failures).toBe(0);
  });

  it('are not over because a VM reports that ran before the last: it may be of an older image', () => {
    const host = crashed(1_000, 2_000, 3_000);
    host.countSound(vm({ startedMs: 2_999, readyMs: 2_999 }), 60_000);
    expect(host.failures).toBe(3);
    host.countSound(vm({ startedMs: 3_000, readyMs: 3_000 }), 60_000);
    expect(host.failures).toBe(0);
  });

  it.each<[string, Partial<End>, boolean, number]>([
    ['a VM that crashes', {}, false, 1],
    ['a VM that was meant to stop', { state: 'stopping' }, false, 0],
    ['a VM that was drained', { state: 'draining' }, false, 0],
    ['a VM that was ejected', { state: 'draining', failed: true }, false, 1],
    ['a VM that was stopped because it failed', { state: 'stopping', failed: true }, false, 1],
    ['an address that another program has', { state: 'preparing' }, true, 0],
  ])('count %s', (_what, fields, bindFailed, failures) => {
    const host = new HostRecord('here');
    host.countEnd(vm(fields), bindFailed, 0, 0);
    expect(host.failures).toBe(failures);
  });
});

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
    expect(bare.fleet.owing).toBe(3);
    bare.apply(memory(GIB));
    expect(bare.fleet.owing).toBe(2);
    bare.link(1, true);
    expect(bare.fleet.owing).toBe(2);
    bare.apply({ kind: 'vm-gone', vm: 2, bindFailed: false, nowMs: 0 });
    expect(bare.fleet.owing).toBe(1);
    bare.apply(memory(GIB));
    expect(bare.fleet.owing).toBe(0);
  });

  it('shows a VM that was adopted while it ran', () => {
    const bare = new BareFleet().preparing(1, { state: 'stopping', adopted: { pid: 5, imageDigest: undefined } });
    expect(bare.fleet.owing).toBe(0);
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
