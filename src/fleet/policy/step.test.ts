import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { SPARE_BOOTED } from '../values/params.ts';

const QUIET = { free_count: 1_000 };

describe('a step sees what it has decided itself', () => {
  it('R1 replaces a VM in the step that ends it', () => {
    const bare = new BareFleet({ params: { ...QUIET, min_vm_count: 2 } }).ready(1).later(5_000).ready(2);
    bare.link(1, false);
    expect(bare.decisions()).toEqual(['R6 stop 1', 'R1 start 10.0.0.3']);
  });

  it('R3 replaces a VM that does not come up in the step that ends it', () => {
    const bare = new BareFleet().booting(1).wait(1).later(10_000);
    expect(bare.decisions()).toEqual(['R6 stop 1', 'R3 start 10.0.0.2', 'R3 waiting vm-starting']);
  });

  it('R5 keeps the minimum without the VM that R6 ends', () => {
    const bare = new BareFleet({ params: { min_vm_count: 1, free_count: 3 } }).ready(1).link(1, false).later(5_000);
    bare.idle(2, 3);
    expect(bare.decisions()).toEqual(['R6 stop 1']);
  });

  it('R5 drains as many as it may although R6 ends a surplus VM', () => {
    const bare = new BareFleet({ params: { min_vm_count: 1, free_count: 3 } }).idle(1, 9).link(1, false);
    bare.link(1, true).later(5_000).idle(2, 3).ready(3);
    bare.apply({ kind: 'vm-asked', vm: 1, nowMs: 0 });
    expect(bare.decisions()).toEqual(['R6 stop 1', 'R5 drain 2', 'R5 stop 2']);
  });

  it('a spare whose reservation lapses is replaced, and not used', () => {
    const params = { spare_vm_count: 1, boot_timeout_ms: 1_000, ip_reserve_ms: 2_000 };
    const bare = new BareFleet({ params }).preparing(1, { spare: true }).later(2_000);
    expect(bare.decisions()).toEqual(['R7 stop 1', 'R3 prepare 10.0.0.2']);
    const full = new BareFleet({ addresses: 1, params }).preparing(1, { spare: true }).later(2_000).wait(1);
    expect(full.decisions()).toEqual(['R7 stop 1']);
  });

  it('each spare is used once', () => {
    const bare = new BareFleet({ params: { spare_vm_count: 2 } }).prepared(1, { spare: true });
    bare.prepared(2, { spare: true }).wait(3);
    expect(bare.decisions()).toEqual(['R3 use-spare 1', 'R3 use-spare 2', 'R3 start 10.0.0.3']);
  });

  it('a spare that is used is not one too many', () => {
    const bare = new BareFleet({ params: { min_vm_count: 1 } })
      .prepared(1, { spare: true })
      .prepared(2, { spare: true });
    expect(bare.decisions()).toEqual(['R1 use-spare 1', 'R3 stop 2']);
  });

  it('nothing is judged in the step that finds the host silent', () => {
    const bare = new BareFleet({ params: { ...QUIET, min_vm_count: 2 } }).ready(1);
    bare.apply({ kind: 'host-memory', memory: { availableBytes: 1e10, vmBytes: 1e6 }, nowMs: 0 }).later(6_000);
    expect(bare.decisions()).toEqual(['R6 host-away']);
  });

  it('no VM is ejected or replaced that R6 ends', () => {
    const bare = new BareFleet({ params: { ...QUIET, min_vm_count: 2 } }).ready(1, 2).faults(1, 3).link(1, false);
    bare.later(5_000).report(2);
    expect(bare.decisions()).toEqual(['R6 stop 1', 'R1 start 10.0.0.3']);
    const asked = new BareFleet({ params: { ...QUIET, min_vm_count: 1 } }).ready(1, 2, 3).link(1, false);
    for (const vm of [1, 2]) asked.apply({ kind: 'vm-replace', vm });
    asked.later(5_000).report(2).report(3);
    expect(asked.decisions()).toEqual(['R6 stop 1', 'command start 10.0.0.4']);
    expect(asked.step().at(-1)).toMatchObject({ replaces: 2 });
  });
});

describe('spares', () => {
  it('are left alone before the host has told what it adopted', () => {
    const bare = new BareFleet({ isUp: false }).prepared(1, { spare: true });
    expect(bare.decisions()).toEqual([]);
    expect(bare.apply({ kind: 'host-up', nowMs: 0 }).decisions()).toEqual(['R3 stop 1']);
  });

  it('beyond their number go, the youngest first', () => {
    const bare = new BareFleet({ params: { spare_vm_count: 1 } });
    for (const vm of [3, 1, 2]) bare.prepared(vm, { spare: true });
    expect(bare.decisions()).toEqual(['R3 stop 2', 'R3 stop 3']);
  });

  it('are not used before the back-off is over', () => {
    const bare = new BareFleet({ params: { spare_vm_count: 1 } }).prepared(1, { spare: true });
    for (const vm of [2, 3, 4]) bare.booting(vm).crash(vm);
    bare.wait(1);
    expect(bare.later(499).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R3 use-spare 1', 'R3 waiting vm-starting']);
  });

  it('that are prepared are used first, then new VMs, then those that are being prepared', () => {
    const bare = new BareFleet({ addresses: 3, params: { spare_vm_count: 2 } }).preparing(1, { spare: true });
    bare.prepared(2, { spare: true }).wait(4);
    expect(bare.decisions()).toEqual(['R3 use-spare 2', 'R3 start 10.0.0.3', 'R3 use-spare 1']);
  });

  it('take memory like any VM', () => {
    const GIB = 1024 ** 3;
    const memory = { availableBytes: 2 * GIB, vmBytes: GIB / 4 };
    const params = { spare_vm_count: 10, host_memory_reserve_bytes: GIB };
    const bare = new BareFleet({ addresses: 20, params }).apply({ kind: 'host-memory', memory, nowMs: 0 });
    expect(bare.decisions()).toHaveLength(4);
    bare.preparing(1, { spare: true }).preparing(2, { spare: true });
    expect(bare.decisions()).toHaveLength(2);
    bare.apply({ kind: 'host-memory', memory, nowMs: 0 });
    expect(bare.decisions()).toHaveLength(2);
  });
});

describe('a drained VM', () => {
  it('that has work is not stopped, and its end says why it was drained', () => {
    const bare = new BareFleet({ params: { ...QUIET, min_vm_count: 1 } }).ready(1).booting(2).faults(1, 3);
    bare.link(2, true).work(1);
    const [drain] = bare.step();
    expect(bare.decisions()).toEqual(['R2 drain 1', 'R2 start 10.0.0.3']);
    expect(drain).toMatchObject({ why: '3 failures in a row' });
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: true });
    bare.later(60_000).report(1);
    expect(bare.step()).toContainEqual(expect.objectContaining({ kind: 'stop', vm: 1, why: 'a reason' }));
  });

  it('whose work was answered long ago is stopped in the step that drains it', () => {
    const bare = new BareFleet({ params: { ...QUIET, stuck_ms: 1_000 } }).ready(1).apply({ kind: 'vm-replace', vm: 1 });
    bare.work(1, 1_000);
    for (let id = 2; id <= 10; id++) bare.apply({ kind: 'address-removed', id });
    expect(bare.later(1_999).report(1).decisions()).toEqual(['command drain 1']);
    expect(bare.later(1).decisions()).toEqual(['command drain 1', 'R5 stop 1']);
  });

  it('is waited for until the last of its requests is past its deadline and stuck_ms', () => {
    const bare = new BareFleet({ params: { ...QUIET, stuck_ms: 1_000 } }).ready(1);
    bare.work(1, 1_000);
    bare.work(1, 3_000);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'a reason', ejected: false });
    expect(bare.later(3_999).report(1).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R5 stop 1']);
  });
});

describe('a restart', () => {
  const asked = (addresses: number, ...vms: readonly number[]) => {
    const bare = new BareFleet({ addresses, params: QUIET }).ready(...vms);
    for (const vm of vms) bare.apply({ kind: 'vm-replace', vm });
    return bare;
  };

  it('starts the replacement of the next VM in the step that drains the one before', () => {
    const bare = asked(4, 1, 2).preparing(3, { replaces: 1 });
    expect(bare.decisions()).toEqual([]);
    const booted = asked(4, 1, 2).booting(3, { replaces: 1 });
    expect(booted.decisions()).toEqual([]);
    expect(booted.link(3, true).decisions()).toEqual(['command drain 1', 'R5 stop 1', 'command start 10.0.0.4']);
  });

  it('drains one VM at a time where no address is free, the oldest first', () => {
    const bare = asked(3, 3, 1, 2);
    expect(bare.decisions()).toEqual(['command drain 1', 'R5 stop 1']);
    expect(bare.apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'x', ejected: false }).decisions()).toEqual([
      'R5 stop 1',
    ]);
    expect(bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'x', nowMs: 0 }).decisions()).toEqual([]);
    expect(bare.apply({ kind: 'vm-gone', vm: 1 }).decisions()).toEqual([]);
    bare.apply({ kind: 'released', vm: 1 });
    expect(bare.decisions()).toEqual(['command start 10.0.0.1']);
  });

  it('drains no VM first while others start or fail', () => {
    expect(asked(2, 1).booting(2).decisions()).toEqual([]);
    const failing = asked(2, 1).booting(2).crash(2);
    failing.apply({ kind: 'released', vm: 2 }, { kind: 'address-removed', id: 2 });
    expect(failing.decisions()).toEqual([]);
  });
});

describe('a step, as for spares and addresses', () => {
  it('makes a spare good in the step that uses it', () => {
    const bare = new BareFleet({ params: { min_vm_count: 1, spare_vm_count: 1 } }).prepared(1, { spare: true });
    expect(bare.decisions()).toEqual(['R1 use-spare 1', 'R3 prepare 10.0.0.2']);
  });

  it('uses no spare that leaves', () => {
    const params = { spare_vm_count: 2, boot_timeout_ms: 1_000, ip_reserve_ms: 2_000 };
    const bare = new BareFleet({ addresses: 2, params }).preparing(1, { spare: true }).later(1_500);
    bare.preparing(2, { spare: true }).later(500).wait(1);
    expect(bare.decisions()).toEqual(['R7 stop 1', 'R3 use-spare 2']);
  });

  it('tells a VM to stop once, also if two rules would', () => {
    expect(new BareFleet().booting(1).later(15_000).decisions()).toEqual(['R6 stop 1']);
  });

  it('decides nothing about VMs of a host out of reach', () => {
    const bare = new BareFleet().ready(1);
    bare.apply(
      { kind: 'vm-draining', vm: 1, reason: 'idle', why: 'asked', ejected: false },
      { kind: 'host-away', nowMs: 0 },
    );
    expect(bare.decisions()).toEqual([]);
  });

  it('starts the minimum by R1 before R3 starts VMs for requests', () => {
    expect(new BareFleet({ params: { min_vm_count: 1 } }).wait(1).decisions()).toEqual(['R1 start 10.0.0.1']);
  });

  it('drains no VM for a restart while another drains, and no address is free', () => {
    const bare = new BareFleet({ addresses: 2, params: QUIET }).ready(1, 2);
    bare.work(2);
    bare.apply(
      { kind: 'vm-draining', vm: 2, reason: 'idle', why: 'asked', ejected: false },
      { kind: 'vm-replace', vm: 1 },
    );
    expect(bare.decisions()).toEqual([]);
  });

  it('takes a host for away at its limit', () => {
    const bare = new BareFleet();
    bare.apply({ kind: 'host-memory', memory: { availableBytes: 1e10, vmBytes: 1 }, nowMs: 0 });
    expect(bare.later(4_999).decisions()).toEqual([]);
    expect(bare.later(1).decisions()).toEqual(['R6 host-away']);
  });

  it('takes a VM that never reported for one that failed', () => {
    const bare = new BareFleet().mute(1).later(9_000).apply({ kind: 'vm-asked', vm: 1, nowMs: 9_000 });
    expect(bare.later(1_000).step()).toMatchObject([{ kind: 'stop', vm: 1, fault: 'failed' }]);
  });

  it('tells how many addresses other programs have', () => {
    const bare = new BareFleet({ addresses: 3, params: { ...QUIET, min_vm_count: 3 } }).ready(1, 2).preparing(3);
    bare.bindFails(3).apply({ kind: 'released', vm: 3 });
    const figures = { addresses: 3, held: 2, set_aside: 1 };
    expect(bare.step()).toMatchObject([{ kind: 'blocked', blockage: { cause: 'addresses', figures } }]);
  });
});

describe('spares that are to boot ahead of their use', () => {
  const params = { spare_vm_count: 2, spare_state: SPARE_BOOTED };
  const booted = (vm: number) => ({ kind: 'vm-spare-booted', vm, booted: 'yes' }) as const;

  it('boot once, when they are prepared and their address is durably theirs', () => {
    const bare = new BareFleet({ params }).preparing(1, { spare: true }).prepared(2, { spare: true });
    expect(bare.decisions()).toEqual(['R3 boot-spare 2']);
    bare.apply({ kind: 'vm-spare-booted', vm: 2, booted: 'asked' });
    expect(bare.decisions()).toEqual([]);
    // Prepared, and not durable yet.
    bare.apply({ kind: 'vm-prepared', vm: 1, pid: 1, imageDigest: 'x' });
    expect(bare.decisions()).toEqual([]);
    bare.apply({ kind: 'vm-durable', vm: 1 });
    expect(bare.decisions()).toEqual(['R3 boot-spare 1']);
  });

  it('stay prepared with spare_state=prepared, and while somebody waits', () => {
    expect(new BareFleet({ params: { spare_vm_count: 1 } }).prepared(1, { spare: true }).decisions()).toEqual([]);
    const busy = new BareFleet({ params }).prepared(1, { spare: true }).prepared(2, { spare: true }).wait(1);
    expect(busy.decisions()).toEqual(['R3 use-spare 1']);
  });

  it('are used before those that are only prepared', () => {
    const bare = new BareFleet({ params }).prepared(1, { spare: true }).prepared(2, { spare: true }).apply(booted(2));
    expect(bare.wait(2).decisions()).toEqual(['R3 use-spare 2', 'R3 use-spare 1']);
  });

  it('are not ended over their silence, nor does their reservation lapse', () => {
    const bare = new BareFleet({ params }).prepared(1, { spare: true }).prepared(2, { spare: true });
    bare.apply(booted(1), booted(2));
    expect(bare.later(3_600_000).decisions()).toEqual([]);
  });
});
