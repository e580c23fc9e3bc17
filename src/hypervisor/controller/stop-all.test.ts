import { expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { stopAll } from './stop-all.ts';
import type { VmTable } from './vm-table.ts';

it('VMs have the time of all the stages of a stop, and not for ever', async () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const vms: Pick<VmTable, 'ids' | 'tell' | 'whenAllRemoved'> = {
    ids: [7, 8],
    tell: (vm) => void told.push(vm),
    whenAllRemoved: () => new Promise(() => undefined),
  };
  let isOver = false;
  const limits = { consoleMs: 2_000, quitMs: 1_000, terminateMs: 900, killMs: 5_000 };
  void stopAll(vms, limits, clock).then(() => {
    isOver = true;
  });
  expect(told).toEqual([7, 8]);
  await clock.advance(8_900);
  expect(isOver).toBe(false);
  await clock.advance(5_000);
  expect(isOver).toBe(true);
});
