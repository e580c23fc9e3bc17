import { expect, it } from 'vitest';
import type { Behaviour } from './behaviour.ts';
import { termsOf } from './terms.ts';

const behaviour: Pick<Behaviour<never>, 'stopTimeoutMs'> = {};

it('actors that are spawned alike share their terms', () => {
  expect(termsOf({ name: 'a' }, behaviour)).toBe(termsOf({}, behaviour));
  const first = termsOf({ capacity: 7 }, behaviour);
  expect(termsOf({}, behaviour)).not.toBe(first);
  expect(termsOf({ capacity: 7 }, behaviour)).toBe(first);
});

it('an option comes before the time limit of the behaviour, and that before the default', () => {
  const limited = { stopTimeoutMs: 5 };
  expect(termsOf({ stopTimeoutMs: 3 }, limited)).toMatchObject({ stopTimeoutMs: 3, overflow: 'fail' });
  expect(termsOf({ overflow: 'drop-oldest' }, limited)).toMatchObject({ stopTimeoutMs: 5, overflow: 'drop-oldest' });
  expect(termsOf({}, behaviour).stopTimeoutMs).toBe(30_000);
});
