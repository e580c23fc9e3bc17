import { expect, test } from 'vitest';
import { changedParams, fleetParamsOf, fleetValues, writtenParams } from './fleet-params.ts';
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
