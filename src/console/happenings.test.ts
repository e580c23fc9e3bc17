import { expect, it } from 'vitest';
import type { News } from '../fleet/mod.ts';
import { Happenings } from './happenings.ts';

const news = (atMs: number, text: string, fields: Partial<News> = {}): News => ({
  atMs,
  kind: 'vm-ready',
  text,
  ...fields,
});

it('what is heard and asked for is there once, in order of time', () => {
  const happenings = new Happenings();
  happenings.add([news(3, 'c')]);
  happenings.add([news(1, 'a'), news(2, 'b'), news(3, 'c'), news(3, 'd')]);
  happenings.note(2, 'note');
  expect(happenings.latest.map(({ text }) => text)).toEqual(['a', 'b', 'note', 'c', 'd']);
});

it('what went wrong is told from what went well', () => {
  const happenings = new Happenings();
  const error = { name: 'ShoalError', code: 'VM_GONE', message: 'x', details: {} };
  happenings.add([
    news(1, 'ready'),
    news(2, 'gone', { kind: 'vm-gone' }),
    news(3, 'crashed', { kind: 'vm-gone', error }),
  ]);
  expect(happenings.latest.map(({ tone }) => tone)).toEqual(['good', 'leaving', 'bad']);
});

it('only the latest are kept, and one that was dropped is not taken for known', () => {
  const happenings = new Happenings();
  for (let at = 0; at < 2_000; at++) happenings.add([news(at, 'n')]);
  expect(happenings.latest).toHaveLength(500);
  expect(happenings.latest.at(-1)?.atMs).toBe(1_999);
  expect(happenings.latest[0]?.atMs).toBe(1_500);
});
