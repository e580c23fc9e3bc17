import { describe, expect, it, vi } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { blockageOf } from './blockage.ts';
import { Plan } from './plan.ts';

describe('a step', () => {
  it('replaces a spare that it uses in the same step', () => {
    const bare = new BareFleet({ params: { min_vm_count: 1, spare_vm_count: 1 } }).prepared(1, { spare: true });
    expect(bare.decisions()).toEqual(['R1 use-spare 1', 'R3 prepare 10.0.0.2']);
  });

  it('makes the minimum good before it starts VMs for requests, which those VMs take', () => {
    const bare = new BareFleet({ params: { min_vm_count: 2, vm_requests_max: 2 } }).ready(1, 2).later(5_000);
    bare.link(1, false).link(2, false).wait(2);
    expect(bare.decisions()).toEqual(['R6 stop 1', 'R6 stop 2', 'R1 start 10.0.0.3', 'R1 start 10.0.0.4']);
  });

  it('uses no spare that it ends', () => {
    const params = { min_vm_count: 1, spare_vm_count: 2, ip_reserve_ms: 15_000 };
    const bare = new BareFleet({ addresses: 2, params }).preparing(1, { spare: true });
    bare.later(10_000).preparing(2, { spare: true });
    expect(bare.later(5_000).decisions()).toEqual(['R7 stop 1', 'R1 use-spare 2']);
  });

  it('tells a VM one thing: one that is silent while it drains is ended once', () => {
    const bare = new BareFleet().ready(1).link(1, false);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: false });
    expect(bare.later(5_000).decisions()).toEqual(['R6 stop 1']);
  });

  it('tells the VMs of a host out of reach nothing', () => {
    const bare = new BareFleet()
      .ready(1)
      .apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: false });
    expect(bare.decisions()).toEqual(['R5 stop 1']);
    expect(bare.apply({ kind: 'host-away', nowMs: 0 }).decisions()).toEqual([]);
  });

  it('makes good a VM that it drains for a restart, if another is missing by then', () => {
    const bare = new BareFleet({ params: { min_vm_count: 2 } }).ready(1).apply({ kind: 'vm-replace', vm: 1 });
    bare.booting(2, { replaces: 1 });
    const guest = { textBytesMax: 1 << 20, idempotent: true, operations: [] };
    bare.apply({ kind: 'vm-answering', vm: 2, guest }).link(2, true).report(2);
    expect(bare.decisions()).toEqual(['command drain 1', 'R5 stop 1', 'R1 start 10.0.0.3']);
  });
});

describe('the spares of a step', () => {
  /** How often a VM is looked at while so many spares are used. */
  function looks(spares: number): number {
    const bare = new BareFleet({ addresses: 250 });
    for (let vm = 1; vm <= spares; vm++) bare.prepared(vm, { spare: true });
    const { fleet } = bare;
    let count = 0;
    const group = fleet.group.bind(fleet);
    vi.spyOn(fleet, 'group').mockImplementation((name) => {
      const vms = group(name);
      const looked = new Set(vms);
      looked[Symbol.iterator] = function* () {
        for (const vm of vms) {
          count += 1;
          yield vm;
        }
        return undefined;
      };
      return looked;
    });
    const plan = new Plan(fleet, bare.nowMs);
    for (let n = 0; n < spares; n++) expect(plan.start('R3', {})).toBe(true);
    expect(plan.decisions.map(({ kind }) => kind)).toEqual(Array.from({ length: spares }, () => 'use-spare'));
    return count;
  }

  it('are looked at once each, however many VMs it starts', () => {
    expect([looks(20), looks(200)]).toEqual([20, 200]);
  });
});

describe('a restart without a free address', () => {
  const draining = (vm: number) =>
    ({ kind: 'vm-draining', vm, reason: 'idle', why: 'restart', ejected: false }) as const;

  it('drains no VM while the address of a draining one is about to be free', () => {
    const bare = new BareFleet({ addresses: 2 }).ready(1, 2);
    bare.work(1);
    bare.apply({ kind: 'vm-replace', vm: 1 }, { kind: 'vm-replace', vm: 2 });
    expect(bare.decisions()).toEqual(['command drain 1']);
    expect(bare.apply(draining(1)).decisions()).toEqual([]);
  });

  it('replaces no VM that is draining already', () => {
    const bare = new BareFleet().ready(1);
    bare.work(1);
    bare.apply({ kind: 'vm-replace', vm: 1 }, draining(1));
    expect(bare.decisions()).toEqual([]);
  });
});

describe('what keeps VMs from being started', () => {
  it('names how many addresses VMs hold and how many other programs have', () => {
    const bare = new BareFleet({ addresses: 3 }).ready(1, 2).preparing(3);
    bare.bindFails(3).apply({ kind: 'released', vm: 3 });
    expect(blockageOf(bare.fleet, 0)).toMatchObject({
      cause: 'addresses',
      text: expect.stringContaining('of 3 VMs hold 2, 1 are taken by other programs'),
      figures: { addresses: 3, held: 2, set_aside: 1 },
    });
  });
});

describe('what kept a step from starting one more VM', () => {
  function refusalOf(bare: BareFleet): Plan['refusal'] {
    const plan = new Plan(bare.fleet, bare.nowMs);
    for (let started = plan.start('R3', {}); started; started = plan.start('R3', {}));
    return plan.refusal;
  }

  it('counts the addresses that it has just used as held by VMs', () => {
    const bare = new BareFleet({ addresses: 4 }).ready(1).preparing(2);
    bare.bindFails(2).apply({ kind: 'released', vm: 2 });
    expect(refusalOf(bare)).toMatchObject({
      cause: 'addresses',
      text: expect.stringContaining('of 4 VMs hold 3, 1 are taken by other programs'),
      figures: { addresses: 4, held: 3, set_aside: 1 },
    });
  });

  it('counts the memory of those that it has just started', () => {
    const memory = { availableBytes: 2_500, vmBytes: 1_000 };
    const bare = new BareFleet({ params: { host_memory_reserve_bytes: 0 } });
    bare.apply({ kind: 'host-memory', memory, nowMs: 0 });
    expect(refusalOf(bare)).toMatchObject({
      cause: 'memory',
      text: expect.stringContaining('2 VMs are still to take theirs'),
    });
  });
});

describe('R6', () => {
  it('takes a host for out of reach once it has been silent for as long as the limit', () => {
    const memory = { availableBytes: 1e10, vmBytes: 1e6 };
    const bare = new BareFleet().apply({ kind: 'host-memory', memory, nowMs: 0 });
    expect(bare.later(4_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 host-away']);
  });

  it('counts the silence of a VM that reported early from when it was ready', () => {
    const bare = new BareFleet().booting(1).report(1).later(4_000);
    const guest = { textBytesMax: 1 << 20, idempotent: true, operations: [] };
    bare.apply({ kind: 'vm-answering', vm: 1, guest }).link(1, true);
    expect(bare.later(3_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 ask 1']);
  });
});

describe('R7', () => {
  it('counts the lease of a spare from when it was wanted', () => {
    const params = { min_vm_count: 1, ip_reserve_ms: 15_000 };
    const bare = new BareFleet({ params }).preparing(1, { spare: true }).later(10_000);
    bare.apply({ kind: 'vm-wanted', vm: 1, nowMs: bare.nowMs });
    expect(bare.later(14_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toContain('R7 stop 1');
  });
});
