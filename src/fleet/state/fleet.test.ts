import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';

describe('the record of a VM', () => {
  it('counts the lease of a spare from when it was wanted', () => {
    const bare = new BareFleet({ params: { spare_vm_count: 1 } }).preparing(1, { spare: true }).later(14_000);
    bare.apply({ kind: 'vm-wanted', vm: 1, nowMs: bare.nowMs }).later(2_000);
    expect(bare.decisions()).not.toContain('R7 stop 1');
    expect(bare.later(13_000).decisions()).toContain('R7 stop 1');
  });

  it('says why a VM is being ended', () => {
    const bare = new BareFleet()
      .ready(1)
      .apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'enough', nowMs: 0 });
    expect(bare.fleet.vm(1)?.why).toBe('enough');
  });

  it('counts silence from when the VM was ready, if it reported before', () => {
    const bare = new BareFleet().booting(1).report(1).later(4_900).link(1, true).later(2_000);
    expect(bare.decisions()).toEqual([]);
  });
});

describe('a fleet', () => {
  it('replaces no VM that drains already', () => {
    const bare = new BareFleet().ready(1).apply({ kind: 'vm-replace', vm: 1 });
    expect(bare.fleet.group('replaced').size).toBe(1);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'asked', ejected: false });
    expect(bare.fleet.group('replaced').size).toBe(0);
  });

  it('has forgotten a VM that is gone: it has no room, and is not to be heard of', () => {
    const bare = new BareFleet().ready(1).apply({ kind: 'vm-gone', vm: 1 });
    // A new VM may stand where it stood.
    bare.preparing(2);
    expect([bare.fleet.leastLoaded, [...bare.fleet.heard]]).toEqual([undefined, []]);
  });
});
