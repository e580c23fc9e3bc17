import { expect, test } from 'vitest';
import { MOMENTS } from '../../src/sim/mod.ts';
import { Page } from './page.ts';

test('the page of the simulation lists every moment, and how often the last run reached it', () => {
  const section = Page.read('docs/simulation.md').section('Seeds') ?? '';
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([\d ]+) \|$/gm)];
  expect(rows.map(([, moment]) => moment)).toEqual(MOMENTS);
  expect(rows.filter(([, , reached = '0']) => Number(reached.replaceAll(' ', '')) === 0)).toEqual([]);
});
