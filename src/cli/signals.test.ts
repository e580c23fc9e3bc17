import { expect, test } from 'vitest';
import { signalsIn } from './signals.ts';

test.each([
  ['0000000000000001', ['SIGHUP']],
  ['0000000001005003', ['SIGTERM', 'SIGHUP']],
  ['0000000000000002', []],
  ['0000000001001000', []],
  ['', []],
  ['nonsense', []],
])('of the ignored signals %j these stay ignored: %j', (mask, signals) => {
  expect(signalsIn(mask)).toEqual(signals);
});
