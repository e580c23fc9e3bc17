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

test('a reservation outlasts the boot: a profile that takes longer is refused, and held below it later', () => {
  expect(() => checkBootTimeout(makeParams(), SLOWEST)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_VALUE',
      message: expect.stringContaining('give `--set ip_reserve_ms=65000`'),
    }),
  );
  checkBootTimeout(makeParams({ ip_reserve_ms: 65_000 }), SLOWEST);
  checkBootTimeout(makeParams({ boot_timeout_ms: 9_000 }), SLOWEST);
  expect(withProfile(makeParams(), SLOWEST).bootTimeoutMs).toBe(14_999);
});
