import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import type { FleetDecision } from './decision.ts';

/** What the decision of that kind considered. */
function consideredOf(bare: BareFleet, kind: FleetDecision['kind']): unknown {
  const decision = bare.step().find((one) => one.kind === kind);
  return decision !== undefined && 'considered' in decision ? decision.considered : undefined;
}

describe('a decision says what else was considered, and why it was not chosen', () => {
  it('R1, a start: the spares, and the other addresses', () => {
    const bare = new BareFleet({ addresses: 4, params: { min_vm_count: 2 } }).ready(1);
    expect(consideredOf(bare, 'start')).toEqual([
      { what: 'a prepared spare', why: 'there is none' },
      { what: 'another address', why: 'of 4, 1 are held or set aside, and 2 more are free with a higher id' },
    ]);
  });

  it('R3, a start: the VMs that take requests, and those that start', () => {
    const bare = new BareFleet().ready(1).busy(1).booting(2).wait(2);
    expect(consideredOf(bare, 'start')).toMatchObject([
      { what: 'a free VM', rule: 'R2', why: 'each of the 1 VMs that take requests has vm_requests_max (1) of them' },
      { what: 'a VM that starts', rule: 'R3', why: '1 VMs start and take 1 requests, and 2 wait' },
      { what: 'a prepared spare' },
      { what: 'another address' },
    ]);
  });

  it('R3, a spare that is used: a new VM', () => {
    const prepared = new BareFleet().prepared(1, { spare: true }).wait(1);
    expect(consideredOf(prepared, 'use-spare')).toContainEqual({
      what: 'a new VM',
      why: 'a prepared spare is ready sooner',
    });
    const preparing = new BareFleet({ addresses: 1 }).preparing(1, { spare: true }).wait(1);
    expect(consideredOf(preparing, 'use-spare')).toContainEqual({
      what: 'a new VM',
      why: expect.stringContaining('no address is free'),
    });
  });

  it('R2, an ejection: the other VMs that fail', () => {
    const bare = new BareFleet().ready(1).ready(2).ready(3).faults(1, 3).faults(2, 3).link(3, false);
    expect(consideredOf(bare, 'drain')).toEqual([
      { what: 'VM 2', why: 'it fails as well, and at most 1 VMs are ejected at a time' },
      { what: 'VM 3', why: 'its link is down for 0 ms, and last_connect_ms is 5000' },
    ]);
  });

  it('R5, a drain: the surplus VMs that stay; and the stop that follows: its requests', () => {
    const bare = new BareFleet({ params: { free_count: 1, min_vm_count: 1 } }).ready(1).ready(2);
    for (const vm of [1, 2]) bare.report(vm);
    expect(consideredOf(bare, 'drain')).toEqual([
      { what: 'VM 1', why: 'it stays, with 1 idle reports: min_vm_count is 1' },
    ]);
    expect(consideredOf(bare, 'stop')).toEqual([{ what: 'waiting for its requests', why: 'it has none' }]);
  });

  it('names no more than eight, and how many more there are', () => {
    const bare = new BareFleet({ params: { free_count: 1, min_vm_count: 10 }, addresses: 20 });
    for (let vm = 1; vm <= 11; vm++) bare.ready(vm).report(vm);
    const considered = consideredOf(bare, 'drain');
    expect(considered).toHaveLength(9);
    expect(considered).toContainEqual({ what: '2 more', why: 'likewise' });
  });

  it('R6, the end of a silent VM: its link, and its work', () => {
    const bare = new BareFleet().ready(1).report(1).link(1, false).later(4_900);
    expect(bare.decisions()).toEqual([]);
    expect(consideredOf(bare.later(100), 'stop')).toEqual([
      { what: 'its answer over the link', why: 'the link is down' },
      { what: 'waiting for its work', why: 'it has none' },
    ]);
  });

  it('R6 and R7, the end of a VM that does not come up: its boot', () => {
    expect(consideredOf(new BareFleet().booting(1).later(10_000), 'stop')).toEqual([
      { what: 'letting it boot', why: 'boot_timeout_ms (10000) has passed' },
    ]);
    expect(consideredOf(new BareFleet().preparing(1).later(15_000), 'stop')).toEqual([
      { what: 'letting it boot', why: 'its CPU was never started' },
    ]);
  });
});
