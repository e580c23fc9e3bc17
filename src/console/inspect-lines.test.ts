import { expect, test } from 'vitest';
import { inspectLines } from './inspect-lines.ts';

test('what is known of a VM is a line each, figures with their unit, lists below their name', () => {
  const known = {
    id_vmachine: 3,
    state: 'ready',
    cpu: 12.6,
    ram: 1_208_320,
    uptime_ms: 192_000,
    memory_mib: 32,
    pid: null,
    log: [{ atMs: 0, text: 'hello' }],
  };
  expect(inspectLines(known)).toEqual([
    'id_vmachine     3',
    'state           ready',
    'cpu             13%',
    'ram             1.2M',
    'uptime          3m 12s',
    'memory          32.0M',
    'pid             -',
    'log',
    '  00:00:00.000  hello',
  ]);
});

test('what is not known yet has no unit', () => {
  expect(inspectLines({ cpu: null, ram: null })).toEqual(['cpu             -', 'ram             -']);
});
