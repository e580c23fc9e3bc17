import { expect, test } from 'vitest';
import type { SeedsSummary } from '../sim/mod.ts';
import { isProof } from './simulation-summary.ts';

const summary: SeedsSummary = {
  runs: 5,
  requests: 9,
  events: 9,
  failures: [],
  counts: {},
  rules: {},
  failedRequests: {},
};
const failed = {
  ok: false,
  seed: 3,
  failure: { kind: 'invariant', message: 'VM 1 is lost', atMs: 5 },
  history: '',
} as const;

test.each([
  ['all seeds', {}, true],
  ['a seed that failed', { summary: { ...summary, failures: [failed] } }, false],
  ['a moment that no seed reached', { missed: ['vm-adopted'] }, false],
  ['an interruption', { isInterrupted: true }, false],
])('a run of many seeds with %s: whether it is a proof', (_, part, expected) => {
  // The scenario of a seed that failed is of no account here.
  const result = { summary, missed: [], isInterrupted: false, ...part } as Parameters<typeof isProof>[0];
  expect(isProof(result)).toBe(expected);
});
