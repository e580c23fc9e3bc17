import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineWheel, WHEEL_STEP_MS, type WheelEntry } from './deadline-wheel.ts';
import { LinkedList, type ListNode } from './linked-list.ts';
import { VmBuckets } from './vm-buckets.ts';

/** Each structure against the plainest one that does the same. */
describe('a linked list', () => {
  it('is an array from which items are taken anywhere', () => {
    const change = fc.oneof(
      fc.constant('push' as const),
      fc.constant('unshift' as const),
      fc.constant('shift' as const),
      fc.nat(20),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const list = new LinkedList<number>();
        const model: number[] = [];
        const nodes = new Map<number, ListNode<number>>();
        for (const [item, what] of changes.entries()) {
          if (what === 'push') {
            nodes.set(item, list.push(item));
            model.push(item);
          } else if (what === 'unshift') {
            nodes.set(item, list.unshift(item));
            model.unshift(item);
          } else if (what === 'shift') {
            expect(list.shift()).toBe(model.shift());
          } else {
            const node = nodes.get(what);
            if (node !== undefined) list.remove(node);
            if (model.includes(what)) model.splice(model.indexOf(what), 1);
          }
          expect([...list]).toEqual(model);
          expect([list.length, list.first]).toEqual([model.length, model[0]]);
        }
      }),
    );
  });
});

describe('a deadline wheel', () => {
  it('gives each item once, never early, and at most a step late, however far time jumps', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), inMs: fc.integer({ min: -100, max: 40_000 }) }),
      fc.record({ kind: fc.constant('remove' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('move' as const), byMs: fc.oneof(fc.nat(50), fc.nat(60_000)) }),
    );
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.array(action, { maxLength: 60 }), (startMs, actions) => {
        let nowMs = startMs;
        const wheel = new DeadlineWheel<number>(nowMs);
        const due = new Map<number, number>();
        const entries: WheelEntry<number>[] = [];
        for (const it of actions) {
          if (it.kind === 'add') {
            // A deadline that has passed already is due from now on.
            due.set(entries.length, nowMs + Math.max(0, it.inMs));
            entries.push(wheel.add(entries.length, nowMs + it.inMs));
          } else if (it.kind === 'remove') {
            const entry = entries[it.which];
            if (entry !== undefined) wheel.remove(entry);
            due.delete(it.which);
          } else {
            nowMs += it.byMs;
            for (const item of wheel.due(nowMs)) {
              expect(due.get(item)).toBeLessThanOrEqual(nowMs);
              due.delete(item);
            }
            for (const deadlineMs of due.values()) expect(nowMs - deadlineMs).toBeLessThan(WHEEL_STEP_MS);
          }
        }
      }),
    );
  });
});

describe('the buckets of VMs', () => {
  it('know the oldest of the fullest and of the emptiest', () => {
    const action = fc.record({ vm: fc.integer({ min: 1, max: 8 }), inFlight: fc.nat(6), leave: fc.boolean() });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const buckets = new VmBuckets();
        const model = new Map<number, number>();
        for (const { vm, inFlight, leave } of actions) {
          const before = model.get(vm);
          if (before !== undefined) buckets.remove(vm, before);
          model.delete(vm);
          if (!leave) {
            buckets.add(vm, inFlight);
            buckets.add(vm, inFlight);
            model.set(vm, inFlight);
          }
          const fullest = [...model].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
          const emptiest = [...model].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
          expect([buckets.size, buckets.fullest(), buckets.emptiest()]).toEqual([
            model.size,
            fullest,
            emptiest[0]?.[0],
          ]);
          const least = emptiest.filter(([, load]) => load === emptiest[0]?.[1]).map(([id]) => id);
          expect([...buckets.allEmptiest()].reverse()).toEqual(least);
        }
      }),
    );
  });
});
