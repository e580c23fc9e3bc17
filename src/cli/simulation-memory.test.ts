import { expect, test } from 'vitest';
import { memoryHint } from './simulation-memory.ts';

const HEAP_BYTES = 4e9;

test.each([
  [{ hosts: 1, addresses: 131_072, params: {} }, undefined],
  [{ hosts: 1, addresses: 20_000, params: { min_vm_count: 100_000 } }, undefined],
  [
    { hosts: 1, addresses: 100_000, params: { min_vm_count: 100_000 } },
    /^100000 VMs take about 8\.4 GB, and Node takes up to 4\.0 GB: set NODE_OPTIONS=--max-old-space-size=8011, or/,
  ],
  [
    { hosts: 1_000, addresses: 100, params: { min_vm_count: 100 } },
    /^1000 hosts with 100000 VMs take about 16\.1 GB, .*--max-old-space-size=15355, /,
  ],
])('%j: what to do if it does not fit into memory', (scenario, hint) => {
  const told = memoryHint(scenario, HEAP_BYTES);
  if (hint === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(hint);
});
