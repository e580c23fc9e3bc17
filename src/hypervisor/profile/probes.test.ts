import { describe, expect, it } from 'vitest';
import { isWell, probesOf } from './probes.ts';
import type { HttpProbe, ImageProfile } from './profile.ts';
import { BUILT_IN_PROFILE } from './shipped.ts';

const READY: HttpProbe = { path: '/ready', intervalMs: 5_000, timeoutMs: 700, failures: 2 };
const ALIVE: HttpProbe = { path: '/alive', intervalMs: 9_000, timeoutMs: 900, failures: 7 };

function profile(probes: Partial<Pick<ImageProfile, 'readiness' | 'liveness'>>): ImageProfile {
  return { ...BUILT_IN_PROFILE, protocol: 'http', ...probes };
}

describe('the probes of a profile', () => {
  it('are as it says', () => {
    const both = { readiness: READY, liveness: ALIVE };
    expect(probesOf(profile(both))).toEqual(both);
  });

  it('stand for each other, but a guest that boots is asked ten times a second', () => {
    expect(probesOf(profile({ liveness: ALIVE })).readiness).toEqual({ ...ALIVE, intervalMs: 100 });
    expect(probesOf(profile({ readiness: READY })).liveness).toEqual(READY);
    expect(probesOf(profile({})).readiness).toMatchObject({ path: '/', intervalMs: 100 });
    expect(probesOf(profile({})).liveness).toMatchObject({ path: '/', intervalMs: 1_000 });
  });

  it.each([
    [200, true, true],
    [299, true, true],
    [300, false, true],
    [404, false, true],
    [499, false, true],
    [500, false, false],
  ])('status %i is a sign of life: %s if either is named, %s if none is', (status, named, unnamed) => {
    for (const probes of [{ readiness: READY }, { liveness: ALIVE }])
      expect(isWell(profile(probes), status)).toBe(named);
    expect(isWell(profile({}), status)).toBe(unnamed);
  });
});
