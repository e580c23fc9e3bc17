import { expect, test } from 'vitest';
import { hasVmUsers } from './vm-users.ts';

test('the ids of VMs are there if one range of the namespace holds all of them', () => {
  expect(hasVmUsers('         0          0 4294967295\n')).toBe(true);
  expect(hasVmUsers('0 100000 65536\n1879048192 300000000 268435456\n')).toBe(true);
  expect(hasVmUsers('         0          0          1\n')).toBe(false);
  expect(hasVmUsers('0 1000 1\n1 100000 65536\n')).toBe(false);
  expect(hasVmUsers('0 0 2147483647\n')).toBe(false);
  expect(hasVmUsers('0 0 2147483648\n')).toBe(true);
  expect(hasVmUsers('')).toBe(false);
});
