import { expect, it } from 'vitest';
import { rulesOf } from './child-rules.ts';
import { child } from './child-spec.ts';

const start = () => () => undefined;

it('children of one kind share their rules', () => {
  const first = rulesOf(child({ id: 'a', start, restart: 'transient' }), undefined);
  expect(rulesOf(child({ id: 'b', start, restart: 'transient' }), first)).toBe(first);
});

it('a child that differs in one rule has rules of its own', () => {
  const first = rulesOf(child({ id: 'a', start }), undefined);
  for (const more of [
    { restart: 'temporary' },
    { shutdown: 1 },
    { onRef: () => undefined },
    { capacity: 1 },
  ] as const) {
    const rules = rulesOf(child({ id: 'b', start, ...more }), first);
    expect(rules).not.toBe(first);
    expect(rules).not.toEqual(first);
  }
});
