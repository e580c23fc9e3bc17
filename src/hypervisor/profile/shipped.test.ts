import { expect, it } from 'vitest';
import { parseProfile } from './parse-profile.ts';
import { powerOffOf } from './shipped.ts';

it('a stop is asked for as the profile says, also on the small build, which has no exit code to tell it by', () => {
  const profile = parseProfile({ machine: 'pc', powerOff: { by: 'isa-debug-exit', ask: 'powerdown' } }, 'test');
  const qemu = { program: 'q', confinement: 'namespaces', why: '' } as const;
  expect(powerOffOf({ profile, qemu })).toEqual({ by: 'bye', ask: 'powerdown' });
  expect(powerOffOf({ profile })).toEqual(profile.powerOff);
});
