import { expect, test } from 'vitest';
import { makeParams } from '../fleet/mod.ts';
import { parseProfile } from '../hypervisor/mod.ts';
import { checkBootTimeout, withProfile } from './profile-params.ts';

const SLOW = parseProfile({ bootTimeoutMs: 14_000 }, 'test');
const SLOWEST = parseProfile({ bootTimeoutMs: 60_000 }, 'test');

test("the image's time to boot stands for the parameter's default, and gives way to any other value", () => {
  expect(withProfile(makeParams(), SLOW).bootTimeoutMs).toBe(14_000);
  expect(withProfile(makeParams({ boot_timeout_ms: 12_000 }), SLOW).bootTimeoutMs).toBe(12_000);
  const params = makeParams();
  expect(withProfile(params, parseProfile({}, 'test'))).toBe(params);
});

test('a reservation outlasts the boot: it follows the profile unless it was set, and then the profile must fit', () => {
  expect(withProfile(makeParams(), SLOWEST)).toMatchObject({ bootTimeoutMs: 60_000, ipReserveMs: 65_000 });
  expect(withProfile(makeParams(), parseProfile({ bootTimeoutMs: 3_000 }, 'test')).ipReserveMs).toBe(15_000);
  checkBootTimeout(makeParams(), SLOWEST);
  const set = makeParams({ ip_reserve_ms: 20_000 });
  expect(() => checkBootTimeout(set, SLOWEST)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_VALUE',
      message: expect.stringContaining('give `--set ip_reserve_ms=65000`'),
    }),
  );
  // It may be set while the fleet runs.
  expect(withProfile(set, SLOWEST)).toMatchObject({ bootTimeoutMs: 19_999, ipReserveMs: 20_000 });
  checkBootTimeout(makeParams({ ip_reserve_ms: 20_000, boot_timeout_ms: 9_000 }), SLOWEST);
});
