import { expect, it } from 'vitest';
import { RulesOfChildren } from './child-rules.ts';
import { child } from './child-spec.ts';

const start = () => () => undefined;

it('children of one kind share their rules', () => {
  const rules = new RulesOfChildren();
  const first = rules.of(child({ id: 'a', start, restart: 'transient' }));
  expect(rules.of(child({ id: 'b', start, restart: 'transient' }))).toBe(first);
});

it('a child that differs in one rule has rules of its own', () => {
  for (const more of [
    { restart: 'temporary' },
    { shutdown: 1 },
    { onRef: () => undefined },
    { capacity: 1 },
  ] as const) {
    const rules = new RulesOfChildren();
    const first = rules.of(child({ id: 'a', start }));
    expect(rules.of(child({ id: 'b', start, ...more }))).not.toEqual(first);
  }
});
