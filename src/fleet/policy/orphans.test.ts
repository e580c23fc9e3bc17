import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { placeOrphan } from './orphans.ts';

const orphan = (ok: boolean, text: string) =>
  ({
    kind: 'link-orphaned-reply',
    vm: 1,
    token: new Uint8Array(0),
    ok,
    payload: new TextEncoder().encode(text),
  }) as const;

describe('R11, an orphaned reply', () => {
  it('that is a failure says nothing about the second try', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    const id = request.request.requestId;
    expect(placeOrphan(bare.fleet, orphan(false, '502 no'), id, false)).toEqual({ kind: 'drop' });
    expect(placeOrphan(bare.fleet, orphan(true, 'DONE'), id, false)).toMatchObject({ kind: 'end', request });
  });

  it('of a request that another host has by now ends nothing: that host tells the client', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    const { requestId } = request.request;
    const figures = { free: 1, room: 0, starting: 0, shortestQueue: 0, waiting: 0, cordoned: false, idempotent: true };
    bare.apply(
      { kind: 'neighbour-up', host: 'b', session: 's', nowMs: 0 },
      { kind: 'neighbour-told', host: 'b', figures, seen: 0, nowMs: 0 },
      { kind: 'request-left', request, nowMs: 0, tried: 'orphaned' },
      { kind: 'request-handed', request, host: 'b', frame: 100 },
    );
    expect(placeOrphan(bare.fleet, orphan(true, 'DONE'), requestId, false)).toEqual({ kind: 'drop' });
  });

  it('of a request of an earlier router ends only the same request of the same client', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    const { requestId, token } = request.request;
    const reply = { ...orphan(true, 'DONE'), token: Uint8Array.of(1, 2, 3) };
    expect(placeOrphan(bare.fleet, reply, requestId, false)).toMatchObject({ kind: 'publish' });
    expect(placeOrphan(bare.fleet, reply, requestId, true)).toEqual({ kind: 'drop' });
    expect(placeOrphan(bare.fleet, { ...reply, token }, requestId, false)).toMatchObject({ kind: 'end', request });
  });

  it.each([
    ['413 too large', 413, 'too large'],
    ['418 a teapot', 418, 'a teapot'],
    ['no status at all', 502, ''],
  ])('that says %j has the status %s', (text, status, message) => {
    const { fleet } = new BareFleet();
    const decision = placeOrphan(fleet, orphan(false, text), 'of an earlier Shoal', false);
    expect(decision).toMatchObject({ kind: 'publish', outcome: { status, message } });
  });
});
