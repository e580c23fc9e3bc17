import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LinkedList, type ListNode } from './linked-list.ts';

it('a linked list is an array from which items are taken anywhere', () => {
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
        expect([list.length, list.first, list.head?.item]).toEqual([model.length, model[0], model[0]]);
      }
    }),
  );
});
