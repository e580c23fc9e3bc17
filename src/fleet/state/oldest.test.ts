import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Oldest } from './oldest.ts';
import type { Vm } from './vm.ts';

/** A VM of which only the moment counts. */
function vmFrom(leaseMs: number): Vm {
  // Nothing else of it is read.
  return { leaseMs } as Vm;
}

describe('the oldest of a group', () => {
  it('is as old as a look at each would say, whoever comes, goes, or begins anew later', () => {
    const step = fc.record({ what: fc.constantFrom('come', 'go', 'anew', 'ask'), at: fc.nat(9), ms: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const group: { leaseMs: number }[] = [];
        // As above.
        const oldest = new Oldest(group as unknown as readonly Vm[], ({ leaseMs }) => leaseMs);
        for (const { what, at, ms } of steps) {
          const one = group[at];
          if (what === 'come') {
            group.push({ leaseMs: ms });
            oldest.added(vmFrom(ms));
          } else if (what === 'go') group.splice(at, 1);
          else if (what === 'anew' && one !== undefined) one.leaseMs += ms;
          else if (what === 'ask') expect(oldest.isFrom(ms)).toBe(group.some(({ leaseMs }) => leaseMs <= ms));
        }
      }),
    );
  });

  it('is told without a look at each as long as none can be that old', () => {
    let looks = 0;
    const group = Array.from({ length: 1_000 }, (_, index) => vmFrom(100 + index));
    const oldest = new Oldest(group, ({ leaseMs }) => {
      looks += 1;
      return leaseMs;
    });
    for (const vm of group) oldest.added(vm);
    looks = 0;
    for (let ms = 0; ms < 100; ms++) expect(oldest.isFrom(ms)).toBe(false);
    expect(looks).toBe(0);
    // The first has gone: one look at each moves the moment on.
    group.shift();
    for (let times = 0; times < 10; times++) expect(oldest.isFrom(100)).toBe(false);
    expect(looks).toBe(group.length);
  });
});
