import { expect, test } from 'vitest';
import { complaints } from './verdict.ts';

const GOOD = { requests: 10, ok: 10, errors: 0, vms_started: 3, vms_stopped: 3, p50_ms: 1, p99_ms: 2 };

test('good figures leave nothing to complain of', () => {
  expect(complaints(GOOD)).toEqual([]);
});

test.each([
  [{ ok: 9, errors: 1 }, /1 of 10 requests failed or were answered wrongly/],
  [{ vms_started: 0 }, /no VM was started/],
  [{ vms_stopped: 0 }, /no VM was stopped/],
  [{ requests: 0, ok: 0 }, /no request was answered/],
])('%j is told', (change, complaint) => {
  const found = complaints({ ...GOOD, ...change });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(complaint);
});
