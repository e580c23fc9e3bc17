import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';

describe('the record of a VM', () => {
  it('remembers its ejection although it is stopped for another reason', () => {
    const bare = new BareFleet()
      .ready(1)
      .apply({ kind: 'vm-draining', vm: 1, reason: 'idle', why: 'it fails', ejected: true });
    expect(bare.fleet.vm(1)).toMatchObject({ ejected: true, why: 'it fails' });
    bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'drained', nowMs: 0 });
    expect(bare.fleet.vm(1)).toMatchObject({ state: 'stopping', ejected: true, why: 'drained' });
  });

  it('has the digest and the pid that its host told, and is confirmed from then on', () => {
    const bare = new BareFleet().preparing(1);
    expect(bare.fleet.vm(1)).toMatchObject({ isOnHost: false, pid: undefined, imageDigest: undefined });
    bare.apply({ kind: 'vm-prepared', vm: 1, pid: 70, imageDigest: 'abc' });
    expect(bare.fleet.vm(1)).toMatchObject({ isOnHost: true, pid: 70, imageDigest: 'abc' });
    const adopted = new BareFleet().preparing(2, { state: 'booting', adopted: { pid: 71, imageDigest: 'def' } });
    expect(adopted.fleet.vm(2)).toMatchObject({ isOnHost: true, pid: 71, imageDigest: 'def', bootMs: 0 });
  });

  it('has been idle since it became ready', () => {
    const bare = new BareFleet().booting(1).later(3_000).link(1, true);
    expect(bare.fleet.vm(1)).toMatchObject({ readyMs: 3_000, idleMs: 3_000 });
  });

  it('counts requests of which nothing was sent neither as tries nor as poison', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    expect(request.tries).toBe(1);
    bare.apply({ kind: 'request-left', request, nowMs: 0, tried: 'unsent' });
    expect([request.tries, request.mayBeOrphaned]).toEqual([0, false]);
    bare.apply({ kind: 'request-dispatched', request, vm: 1 });
    bare.apply({ kind: 'request-left', request, nowMs: 0, tried: 'orphaned' });
    expect([request.tries, request.mayBeOrphaned]).toEqual([1, true]);
  });
});
