import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { makeParams } from '../values/params.ts';

describe('the VMs that are to be heard of', () => {
  const heard = ({ fleet }: BareFleet) => [...fleet.heard].map(({ id }) => id);

  it('stand in the order in which they were last heard of', () => {
    const bare = new BareFleet().ready(1, 2, 3).later(1_000).report(1);
    expect(heard(bare)).toEqual([2, 3, 1]);
    expect(bare.fleet.longestUnheard?.id).toBe(2);
    bare.apply({ kind: 'vm-heard', vm: 2, nowMs: bare.nowMs });
    expect(heard(bare)).toEqual([3, 1, 2]);
  });

  it('are heard of with their link, as one that reported while it booted', () => {
    const bare = new BareFleet().booting(1).report(1).later(1_000).ready(2).later(1_000).link(1, true);
    expect([heard(bare), bare.fleet.vm(1)?.heardMs]).toEqual([[2, 1], 2_000]);
  });

  it('are none that have not reported or have gone', () => {
    const bare = new BareFleet().mute(1).ready(2, 3);
    bare.apply({ kind: 'vm-draining', vm: 2, reason: 'idle', why: 'x', ejected: false });
    bare.apply({ kind: 'vm-gone', vm: 3 });
    expect(heard(bare)).toEqual([2]);
  });
});

describe('the choices of R2 and R4', () => {
  it('follow a VM that goes and one that takes its place', () => {
    const bare = new BareFleet({ params: { vm_backlog_max: 4 } }).ready(1, 2);
    bare.work(2);
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([1, 1]);
    bare.apply({ kind: 'vm-gone', vm: 1 });
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([undefined, 2]);
    bare.booting(3);
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([undefined, 2]);
    bare.link(3, true);
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([3, 3]);
  });

  it('is not the VM that has gone', () => {
    const bare = new BareFleet().ready(1, 2).apply({ kind: 'vm-gone', vm: 1 });
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([2, 2]);
  });

  it.each([
    ['pack', 2],
    ['spread', 1],
  ] as const)('with %s follow the load', (routing, vm) => {
    const bare = new BareFleet({ routing, params: { vm_requests_max: 3 } }).ready(1, 2, 3);
    bare.work(2);
    bare.work(2);
    bare.work(3);
    expect(bare.fleet.freeVm?.id).toBe(vm);
    bare.work(3);
    expect(bare.fleet.freeVm?.id).toBe(vm);
  });

  it('follow the parameters', () => {
    const bare = new BareFleet({ params: { vm_backlog_max: 0 } }).ready(1);
    bare.work(1);
    expect([bare.fleet.freeVm, bare.fleet.leastLoaded]).toEqual([undefined, undefined]);
    bare.apply({ kind: 'params', params: makeParams({ vm_backlog_max: 1 }) });
    expect([bare.fleet.freeVm?.id, bare.fleet.leastLoaded?.id]).toEqual([undefined, 1]);
    bare.apply({ kind: 'params', params: makeParams({ vm_requests_max: 2 }) });
    expect(bare.fleet.freeVm?.id).toBe(1);
  });
});

describe('a report', () => {
  it('takes its VM out of those that never reported and those that were asked, and in among the surplus', () => {
    const bare = new BareFleet({ params: { free_count: 1 } }).mute(1).apply({ kind: 'vm-asked', vm: 1, nowMs: 0 });
    const groups = () =>
      (['unreported', 'asked', 'surplus'] as const).filter((name) => bare.fleet.group(name).size > 0);
    expect(groups()).toEqual(['unreported', 'asked']);
    bare.later(1_000).report(1);
    expect(groups()).toEqual(['surplus']);
  });
});

describe('a VM that is to be replaced', () => {
  it('is so only while it is ready', () => {
    const bare = new BareFleet().ready(1).apply({ kind: 'vm-replace', vm: 1 });
    expect(bare.fleet.group('replaced').size).toBe(1);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'x', ejected: false });
    expect(bare.fleet.group('replaced').size).toBe(0);
  });
});
