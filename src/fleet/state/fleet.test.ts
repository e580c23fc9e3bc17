import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';

describe('a fleet', () => {
  const gone = (vm: number, nowMs: number) => ({ kind: 'vm-gone', vm, bindFailed: false, nowMs }) as const;

  it('takes its image for sound once a VM that was started after the last crash is heard of 10 s after it was ready', () => {
    const bare = new BareFleet().ready(1).later(1_000).apply(gone(1, 1_000)).ready(2);
    expect(bare.later(9_999).report(2).fleet.host.failures).toBe(1);
    expect(bare.later(1).report(2).fleet.host.failures).toBe(0);
  });

  it('has no VM that is gone among those with room or those that were heard of', () => {
    const { fleet } = new BareFleet().ready(1, 2).apply(gone(1, 0));
    expect([fleet.leastLoaded?.id, fleet.freeVm?.id]).toEqual([2, 2]);
    expect([...fleet.heard].map(({ id }) => id)).toEqual([2]);
  });

  it('does not count a try of which nothing was sent', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    bare.apply({ kind: 'request-left', request, nowMs: 0, tried: false });
    expect(request.tries).toBe(0);
    bare.apply({ kind: 'request-dispatched', request, vm: 1 }, { kind: 'request-left', request, nowMs: 0 });
    expect(request.tries).toBe(1);
  });

  it('works on a request until the last of its deadlines', () => {
    const bare = new BareFleet();
    const request = bare.request(1_000);
    for (const deadlineMs of [5_000, 3_000]) {
      bare.fleet.requests.join(request, { path: 'client', tell: () => true }, deadlineMs);
    }
    expect(request.deadlineMs).toBe(5_000);
  });
});
