import { expect, it } from 'vitest';
import type { FleetEvent } from '../fleet/mod.ts';
import { EventLines } from './event-lines.ts';

const event = (atMs: number, text: string, fields: Partial<FleetEvent> = {}): FleetEvent => ({
  atMs,
  kind: 'vm-ready',
  text,
  ...fields,
});

it('what is heard and asked for is there once, in order of time', () => {
  const lines = new EventLines();
  lines.add([event(3, 'c')]);
  lines.add([event(1, 'a'), event(2, 'b'), event(3, 'c'), event(3, 'd')]);
  lines.note(2, 'note');
  expect(lines.latest.map(({ text }) => text)).toEqual(['a', 'b', 'note', 'c', 'd']);
});

it('what went wrong is told from what went well', () => {
  const lines = new EventLines();
  const error = { name: 'ShoalError', code: 'VM_GONE', message: 'x', details: {} };
  lines.add([
    event(1, 'ready'),
    event(2, 'gone', { kind: 'vm-gone' }),
    event(3, 'crashed', { kind: 'vm-gone', error }),
  ]);
  expect(lines.latest.map(({ tone }) => tone)).toEqual(['good', 'leaving', 'bad']);
});

it('only the latest are kept, and one that was dropped is not taken for known', () => {
  const lines = new EventLines();
  for (let at = 0; at < 2_000; at++) lines.add([event(at, 'n')]);
  expect(lines.latest).toHaveLength(500);
  expect(lines.latest.at(-1)?.atMs).toBe(1_999);
  expect(lines.latest[0]?.atMs).toBe(1_500);
});
