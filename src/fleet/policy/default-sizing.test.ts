import { describe, expect, it } from 'vitest';
import { makeParams } from '../values/params.ts';
import { DEFAULT_SIZING } from './default-sizing.ts';
import type { IdleVm, SizingView } from './sizing.ts';

function drained(idle: readonly (readonly [vm: number, freeCount: number])[], serving: number, minimum: number) {
  const surplus: readonly IdleVm[] = idle.map(([vm, freeCount]) => ({ vm, freeCount }));
  const view: SizingView = {
    params: makeParams({ min_vm_count: minimum }),
    nowMs: 0,
    waiting: 0,
    ready: serving,
    serving,
    starting: 0,
    spares: 0,
    surplus: () => surplus,
  };
  return DEFAULT_SIZING.decide(view).drain.map(({ vm }) => vm);
}

describe('the default sizing, R5', () => {
  it('drains all surplus VMs down to the minimum, and no more', () => {
    const idle = [5, 6, 7].map((vm) => [vm, 5] as const);
    expect(drained(idle, 4, 1)).toEqual([7, 6, 5]);
    expect(drained(idle, 4, 2)).toEqual([7, 6]);
    expect(drained(idle, 3, 3)).toEqual([]);
    expect(drained(idle, 2, 3)).toEqual([]);
  });

  it('drains the VM that is idle for longest first, and the youngest of equals', () => {
    const idle = [
      [1, 5],
      [2, 9],
      [3, 5],
      [4, 7],
    ] as const;
    expect(drained(idle, 4, 0)).toEqual([2, 4, 3, 1]);
  });
});
