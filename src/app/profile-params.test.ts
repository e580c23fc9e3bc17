import { expect, test } from 'vitest';
import { makeParams } from '../fleet/mod.ts';
import { parseProfile } from '../hypervisor/mod.ts';
import { checkBootTimeout, checkMemory, memoryMibFor, withProfile } from './profile-params.ts';

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

const MIB = 2 ** 20;
const LARGE = parseProfile({ memoryMib: 64, memoryMinMib: 24 }, 'test');
const withMemory = (mib: number) => makeParams({ vm_memory_bytes: mib * MIB });

test('a VM has what its profile says until a parameter says otherwise, and never less than its image needs', () => {
  expect(memoryMibFor(makeParams(), LARGE)).toBe(64);
  expect(memoryMibFor(withMemory(32), LARGE)).toBe(32);
  // Another host has set it for its own image.
  expect(memoryMibFor(withMemory(8), LARGE)).toBe(24);
});

test('memory that an image cannot run with is refused, with the least that it may be', () => {
  const image = { path: 'large.elf', bytes: 1, companion: undefined, profile: LARGE };
  for (const params of [makeParams(), withMemory(24), withMemory(128)]) checkMemory(params, image);
  expect(() => checkMemory(withMemory(23), image)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_VALUE',
      message:
        'Expected vm_memory_bytes to be at least 25165824 (24 MiB), which the image large.elf needs by its profile, got 24117248; ' +
        'raise it, or set it to 0 for what the image usually has (64 MiB)',
    }),
  );
  const beside = { path: 'initrd', digest: '', bytes: 24 * MIB };
  expect(() => checkMemory(withMemory(24), { ...image, companion: beside })).toThrow('25 MiB');
  expect(() => checkMemory(withMemory(6), { ...image, profile: parseProfile({}, 'test') })).toThrow('7 MiB');
});
