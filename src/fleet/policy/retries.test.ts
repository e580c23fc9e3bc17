import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Reaction } from './reaction.ts';
import { returnQueued, takeAllBack, takeBack, writeOff } from './retries.ts';

/** In short, what becomes of each request. */
function fates({ transitions, effects }: Reaction): readonly unknown[] {
  return [
    ...transitions.map(({ kind }) => kind).filter((kind) => kind === 'request-waits'),
    ...effects.map((effect) => (effect.kind === 'answer' && !effect.outcome.ok ? effect.outcome.status : effect.kind)),
  ];
}

describe('R11, what a lost VM had', () => {
  it('counts no try of which nothing was sent: it is tried twice more', () => {
    const bare = new BareFleet().ready(1);
    let request: OpenRequest = bare.work(1);
    for (const sent of [false, true]) {
      const back = takeBack(bare.fleet, [request], 'reset', 0, () => sent);
      expect(fates(back)).toEqual(['request-waits']);
      bare.apply(...back.transitions, { kind: 'request-left', request, nowMs: 0 });
      bare.apply({ kind: 'request-dispatched', request, vm: 1 });
    }
    request = bare.fleet.requests.get(request.frame) ?? request;
    expect(fates(takeBack(bare.fleet, [request], 'reset', 0))).toEqual([502]);
  });

  it('is given up if nobody waits for it, and not tried again', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    bare.fleet.requests.end(request, { ok: false, status: 504, message: 'late' });
    for (const sent of [true, false]) {
      expect(fates(takeBack(bare.fleet, [request], 'reset', 0, () => sent))).toEqual(['forget']);
    }
  });
});

describe('R6, what a silent VM was working on', () => {
  it('is at least its first vm_requests_max, also if they came while it was busy', () => {
    const bare = new BareFleet({ params: { vm_requests_max: 1 } }).ready(1);
    bare.work(1);
    bare.work(1);
    bare.apply({ kind: 'params', params: { ...bare.fleet.params, vmRequestsMax: 2 } });
    const vm = bare.fleet.vm(1);
    if (vm === undefined) throw new Error('VM 1 is ready');
    expect(fates(returnQueued(bare.fleet, vm, 'silent', 0))).toEqual([]);
    bare.later(10_000);
    expect(fates(takeAllBack(bare.fleet, vm, 'killed', bare.nowMs, 'stuck'))).toEqual([502, 502]);
  });
});

describe('work that a guest no longer has', () => {
  it('is written off stuck_ms after its deadline, and not before', () => {
    const bare = new BareFleet({ params: { stuck_ms: 2_000 } }).ready(1);
    const request = bare.work(1, 1_000);
    bare.fleet.requests.end(request, { ok: false, status: 504, message: 'late' });
    const vm = bare.fleet.vm(1);
    if (vm === undefined) throw new Error('VM 1 is ready');
    expect([500, 2_900, 3_100].map((ms) => fates(writeOff(bare.fleet, vm, ms)))).toEqual([[], [], ['forget']]);
  });
});
