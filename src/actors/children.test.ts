import { expect, it } from 'vitest';
import type { Cell } from './cell.ts';
import { Children } from './children.ts';

it('a child that ends late does not take the name from the one that has it now', () => {
  const children = new Children();
  // It uses nothing else of a cell.
  const named = (name: string): Cell<never> => ({ name }) as Cell<never>;
  const [first, second] = [named('a'), named('a')];
  children.add(first);
  children.delete(first);
  children.add(second);
  children.delete(first);
  expect([...children.values()]).toEqual([second]);
  expect(() => children.add(first)).toThrow('already has a child named "a"');
});
