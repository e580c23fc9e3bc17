import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { isAtRest } from './rest.ts';

const STATS = { kind: 'host-memory', memory: { availableBytes: 1e10, vmBytes: 1e6 }, nowMs: 0 } as const;

/** VM 1 of a minimum of one is ready and has reported. */
function resting(params: Readonly<Record<string, number>> = {}): BareFleet {
  return new BareFleet({ params: { min_vm_count: 1, free_count: 3, ...params } }).ready(1);
}

describe('a fleet', () => {
  it('is at rest while its VMs are ready and report, however long they are idle', () => {
    const bare = resting();
    for (let second = 0; second < 10; second++) bare.later(1_000).report(1);
    expect(isAtRest(bare.fleet, bare.nowMs)).toBe(true);
    expect(isAtRest(bare.prepared(2, { spare: true }).fleet, bare.nowMs)).toBe(true);
  });

  it.each<[string, (bare: BareFleet) => unknown]>([
    ['it ends', (bare) => bare.apply({ kind: 'closing' })],
    ['its host is out of reach', (bare) => bare.apply({ kind: 'host-away', nowMs: 0 })],
    ['a request waits', (bare) => bare.wait(1)],
    ['a request is in work', (bare) => bare.work(1)],
    ['a spare is being prepared', (bare) => bare.preparing(2, { spare: true })],
    ['a VM is prepared and waits for its reservation', (bare) => bare.prepared(2)],
    ['a VM boots', (bare) => bare.booting(2)],
    ['a VM is about to boot, whatever was reported of it', (bare) => bare.prepared(2).report(2)],
    ['a VM is ready and has not reported', (bare) => bare.mute(2)],
    [
      'a VM drains',
      (bare) => bare.ready(2).apply({ kind: 'vm-draining', vm: 2, reason: 'idle', why: 'x', ejected: false }),
    ],
    ['a VM stops', (bare) => bare.ready(2).apply({ kind: 'vm-stopping', vm: 2, reason: 'idle', why: 'x', nowMs: 0 })],
    ['a VM fails', (bare) => bare.faults(1, 3)],
    ['a link is down', (bare) => bare.link(1, false)],
    ['a VM is to be replaced', (bare) => bare.apply({ kind: 'vm-replace', vm: 1 })],
    ['a VM was asked whether it lives', (bare) => bare.apply({ kind: 'vm-asked', vm: 1, nowMs: 0 })],
    ['a VM is missing', (bare) => bare.apply({ kind: 'vm-gone', vm: 1 })],
    ['a VM is surplus', (bare) => bare.idle(2, 3)],
  ])('is not at rest while %s', (_what, happens) => {
    const bare = resting();
    expect(isAtRest(bare.fleet, bare.nowMs)).toBe(true);
    happens(bare);
    expect(isAtRest(bare.fleet, bare.nowMs)).toBe(false);
  });

  it('is not at rest once a VM has been silent for half of its limit', () => {
    const { fleet } = resting();
    expect([2_500, 2_501].map((nowMs) => isAtRest(fleet, nowMs))).toEqual([true, false]);
  });

  it('is not at rest once its host has been silent for half of its limit', () => {
    const { fleet } = new BareFleet().apply(STATS);
    expect([2_500, 2_501].map((nowMs) => isAtRest(fleet, nowMs))).toEqual([true, false]);
    const { fleet: quick } = new BareFleet({ params: { status_interval_ms: 10, last_connect_ms: 30 } }).apply(STATS);
    expect([1_500, 1_501].map((nowMs) => isAtRest(quick, nowMs))).toEqual([true, false]);
  });
});
