import { expect, it } from 'vitest';
import type { FleetEvent } from '../fleet/mod.ts';
import { Happenings } from './happenings.ts';

const events = (atMs: number, text: string, fields: Partial<FleetEvent> = {}): FleetEvent => ({
  atMs,
  kind: 'vm-ready',
  text,
  ...fields,
});

it('what is heard and asked for is there once, in order of time', () => {
  const happenings = new Happenings();
  happenings.add([events(3, 'c')]);
  happenings.add([events(1, 'a'), events(2, 'b'), events(3, 'c'), events(3, 'd')]);
  happenings.note(2, 'note');
  expect(happenings.latest.map(({ text }) => text)).toEqual(['a', 'b', 'note', 'c', 'd']);
});

it('what went wrong is told from what went well', () => {
  const happenings = new Happenings();
  const error = { name: 'ShoalError', code: 'VM_GONE', message: 'x', details: {} };
  happenings.add([
    events(1, 'ready'),
    events(2, 'gone', { kind: 'vm-gone' }),
    events(3, 'crashed', { kind: 'vm-gone', error }),
  ]);
  expect(happenings.latest.map(({ tone }) => tone)).toEqual(['good', 'leaving', 'bad']);
});

it('only the latest are kept, and one that was dropped is not taken for known', () => {
  const happenings = new Happenings();
  for (let at = 0; at < 2_000; at++) happenings.add([events(at, 'n')]);
  expect(happenings.latest).toHaveLength(500);
  expect(happenings.latest.at(-1)?.atMs).toBe(1_999);
  expect(happenings.latest[0]?.atMs).toBe(1_500);
});
