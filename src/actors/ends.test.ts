import { expect, it } from 'vitest';
import type { ErrorEnvelope } from '../errors.ts';
import { Ends } from './ends.ts';

it('a failure that nobody has seen is forgotten when the actor starts again', () => {
  const ends = new Ends();
  const error: ErrorEnvelope = { name: 'Error', code: 'INTERNAL', message: 'why', details: {} };
  ends.finish({ path: '/a', reason: { kind: 'error', error } }, undefined, {});
  expect(ends.isUnseen).toBe(true);
  ends.begin();
  expect(ends.isUnseen).toBe(false);
});
