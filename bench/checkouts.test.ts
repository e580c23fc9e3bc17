import { expect, test } from 'vitest';
import { benchOf, groupsOf, type Pair, pairsRow } from './checkouts.ts';
import type { Row } from './compare.ts';

function row(figures: Partial<Row>): Row {
  const plain: Row = {
    name: 'a',
    value: 1,
    unit: 'ms',
    baseline: 1,
    ratio: 1,
    spread: [1, 1],
    goal: '<= 1.2',
    holds: true,
  };
  return { ...plain, ...figures };
}

function pair(base: Partial<Row>, head: Partial<Row>): Pair {
  return { base: row(base), head: row(head) };
}

test('what has become dearer beside its peer is above 1, and misses above 1.03', () => {
  const pairs = [1, 2, 3].map(() => pair({ ratio: 1, value: 10 }, { ratio: 1.1, value: 12 }));
  expect(pairsRow(pairs)).toMatchObject({ name: 'a', value: 12, baseline: 10, ratio: 1.1, holds: false });
});

test('where more is better, less is above 1', () => {
  const goal = '>= 0.8';
  expect(pairsRow([pair({ ratio: 0.8, goal }, { ratio: 0.4, goal })])).toMatchObject({ ratio: 2, holds: false });
  expect(pairsRow([pair({ ratio: 0.8, goal }, { ratio: 0.9, goal })])).toMatchObject({ holds: true });
});

test('a machine that was busy in one of the runs changes the figures, not the ratio', () => {
  const busy = pair({ ratio: 1.1, value: 10, baseline: 9 }, { ratio: 1.1, value: 30, baseline: 27 });
  expect(pairsRow([busy])).toMatchObject({ ratio: 1, holds: true });
});

test('rows can be picked: a group, several, or one that stands in a group', () => {
  expect(groupsOf('actors', '')).toHaveLength(9);
  expect(groupsOf('actors', 'tell')).toEqual(['tell-among', 'tell-beside']);
  expect(groupsOf('actors', 'tell-beside-nact')).toEqual(['tell-beside-nact']);
  expect(groupsOf('main', 'tell-beside-nact')).toEqual([]);
});

test('the same bench measures the actors of both checkouts, and each checkout has its own bench for the rest', () => {
  expect(benchOf('actors', '/base', '/head')).toEqual({ home: '/head', measured: '/base' });
  expect(benchOf('actors', '/head', '/head')).toEqual({ home: '/head', measured: '/head' });
  expect(benchOf('main', '/base', '/head')).toEqual({ home: '/base', measured: '/base' });
});
