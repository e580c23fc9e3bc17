import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { placeOrphan } from './orphans.ts';

describe('R11, a failure that a guest kept', () => {
  const kept = (text: string) =>
    ({
      kind: 'link-orphaned-reply',
      vm: 1,
      token: new Uint8Array(0),
      ok: false,
      payload: new TextEncoder().encode(text),
    }) as const;

  it('does not end the request while that is tried again', () => {
    const bare = new BareFleet().ready(1);
    const { request } = bare.work(1);
    expect(placeOrphan(bare.fleet, kept('502 no'), request.requestId, false)).toEqual({ kind: 'drop' });
  });

  it.each([
    ['has its status', '413 too large', 413, 'too large'],
    ['is a failed VM if no guest may use its status', '418 teapot', 502, 'teapot'],
    ['is a failed VM if it has no status', 'out of order', 502, ''],
  ])('%s', (_what, text, status, message) => {
    const { fleet } = new BareFleet().ready(1);
    expect(placeOrphan(fleet, kept(text), 'x', false)).toEqual({
      kind: 'publish',
      outcome: { ok: false, status, message, vm: 1, host: 'here' },
    });
  });
});
