/** Bytes are counted, not time: what a VM costs in heap may not creep up unseen. */
import { expect, test } from 'vitest';
import { heapOfAVm } from '../../src/sim/mod.ts';
import { memoryInUse } from '../memory-in-use.ts';

const VMS = 10_000;
/**
 * 4.5 kB on 30 November 2026, 4.0 kB of it at 100 000 VMs, and some slack for another version of V8. `docs/performance.md` has the aim.
 */
const BYTES_MAX = 4_700;
const MINUTE_MS = 60_000;

test(
  'all of Shoal for a VM, without the simulated machine, takes no more heap than it did',
  async () => {
    const { whole, machine } = await heapOfAVm(VMS, () => memoryInUse().heapBytes);
    expect(whole - machine).toBeLessThan(BYTES_MAX);
  },
  10 * MINUTE_MS,
);
