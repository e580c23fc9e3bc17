/** Many VMs on one host: what an actor is sent for each of them at one moment is not lost. */
import { expect, test } from 'vitest';
import { makeParams } from '../../src/fleet/mod.ts';
import { DEFAULT_SCENARIO, simulate, vmBytesWith } from '../../src/sim/mod.ts';

/** More than a mailbox takes by default. */
const VMS = 70_000;
const MINUTE_MS = 60_000;

test(
  'so many VMs are started at once, each becomes ready at its first start, and the load is served',
  async () => {
    const result = await simulate({
      ...DEFAULT_SCENARIO,
      durationMs: 5_000,
      load: { kind: 'constant', perSecond: 1_000 },
      addresses: VMS,
      memoryBytes: 2 * VMS * vmBytesWith(makeParams()),
      params: { min_vm_count: VMS, status_interval_ms: 10_000, last_connect_ms: 60_000 },
    });
    expect(result.ok ? undefined : result.failure).toBeUndefined();
    if (!result.ok) return;
    const { vms, requests, counts } = result.report;
    expect(vms).toMatchObject({ started: VMS, ready: VMS, peak: VMS });
    expect(requests.ok).toBe(requests.sent);
    expect([counts['vm-stop'], counts['dead-letter'], counts['vm-gone']]).toEqual([undefined, undefined, undefined]);
  },
  30 * MINUTE_MS,
);
