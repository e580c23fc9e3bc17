import { expect, test } from 'vitest';
import {
  changedParams,
  compareFleetParams,
  type FleetParams,
  fleetParamsOf,
  fleetValues,
  writtenParams,
} from './fleet-params.ts';
import { makeParams } from './params.ts';

const FIRST = { lineage: 'a', version: 0, atMs: 0, changes: [], values: fleetValues(makeParams()) };

/** Those of Shoal 0.1, which refuses a document that names another one. */
const KNOWN_TO_THE_FIRST = [
  'free_count',
  'last_connect_ms',
  'ip_reserve_ms',
  'status_interval_ms',
  'boot_timeout_ms',
  'idle_cpu_percent',
  'vm_requests_max',
  'vm_backlog_max',
  'router_queue_max',
  'deadline_ms',
  'dedup_ms',
  'stuck_ms',
];

test('an older host can read the document until a parameter is set that it does not know', () => {
  expect(Object.keys(writtenParams(FIRST).values)).toEqual(KNOWN_TO_THE_FIRST);
  const changed = changedParams(FIRST, { vm_memory_bytes: 2 ** 25 }, { id: 'b', atMs: 1 });
  expect(writtenParams(changed)).toEqual(changed);
  const back = changedParams(changed, { vm_memory_bytes: 0 }, { id: 'c', atMs: 2 });
  expect(Object.keys(writtenParams(back).values)).toEqual(KNOWN_TO_THE_FIRST);
  // Whoever reads it has the default in force again.
  expect(fleetParamsOf(JSON.parse(JSON.stringify(writtenParams(back))))).toEqual(back);
});

test('the document with more changes counts, of two of them the younger one', () => {
  const documents = [
    { ...FIRST, version: 1, atMs: 9 },
    { ...FIRST, version: 2, atMs: 1 },
    { ...FIRST, version: 2, atMs: 5 },
    { ...FIRST, version: 10, atMs: 0 },
  ];
  for (const [at, a] of documents.entries()) {
    for (const [other, b] of documents.entries())
      expect(Math.sign(compareFleetParams(a, b))).toBe(Math.sign(at - other));
  }
});

test('of two that are as old all hosts choose the same one, in whatever order these hold the parameters', () => {
  const reversed = (params: FleetParams) => ({
    ...params,
    values: Object.fromEntries(Object.entries(params.values).reverse()),
  });
  const others = [
    { ...FIRST, lineage: 'b' },
    { ...FIRST, changes: ['x'] },
    { ...FIRST, values: { ...FIRST.values, free_count: 1 } },
    { ...FIRST, values: { ...FIRST.values, stuck_ms: 9_999 } },
  ];
  expect(compareFleetParams(FIRST, reversed(FIRST))).toBe(0);
  for (const other of others) {
    const order = compareFleetParams(FIRST, other);
    expect(Math.abs(order)).toBe(1);
    expect(compareFleetParams(other, FIRST)).toBe(-order);
    expect(compareFleetParams(reversed(FIRST), other)).toBe(order);
    expect(compareFleetParams(FIRST, reversed(other))).toBe(order);
  }
});

test('a change is never older than what it was made of, whatever the clock of its host says', () => {
  const later = changedParams({ ...FIRST, atMs: 1_000 }, { stuck_ms: 1 }, { id: 'x', atMs: 10.5 });
  expect([later.version, later.atMs, later.changes]).toEqual([1, 1_000, ['x']]);
  expect(changedParams(later, {}, { id: 'y', atMs: 2_000.5 }).atMs).toBe(2_000);
});
