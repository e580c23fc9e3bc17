import { expect, it } from 'vitest';
import type { FleetEvent } from '../fleet/mod.ts';
import { EventLines } from './event-lines.ts';

const event = (atMs: number, text: string, fields: Partial<FleetEvent> = {}): FleetEvent => ({
  atMs,
  kind: 'vm-ready',
  text,
  ...fields,
});

it('events and notes stand in order of time', () => {
  const lines = new EventLines();
  for (const at of [3, 1, 2]) lines.add(event(at, `event ${at}`));
  lines.note(2, 'note');
  expect(lines.latest.map(({ text }) => text)).toEqual(['event 1', 'event 2', 'note', 'event 3']);
});

it('what went wrong is told from what went well', () => {
  const lines = new EventLines();
  const error = { name: 'ShoalError', code: 'VM_GONE', message: 'x', details: {} };
  lines.add(event(1, 'ready'));
  lines.add(event(2, 'gone', { kind: 'vm-gone' }));
  lines.add(event(3, 'crashed', { kind: 'vm-gone', error }));
  lines.add(event(4, 'blocked', { kind: 'blocked' }));
  expect(lines.latest.map(({ tone }) => tone)).toEqual(['good', 'leaving', 'bad', 'bad']);
});

it('a wait that goes on is one line, until it has another reason or something else happens', () => {
  const lines = new EventLines();
  const waiting = (atMs: number, reason: FleetEvent['reason']): void =>
    lines.add(event(atMs, `wait ${atMs}`, { kind: 'waiting', ...(reason === undefined ? {} : { reason }) }));
  for (const at of [1, 2, 3]) waiting(at, 'vm-starting');
  for (const at of [4, 5]) waiting(at, 'no-address');
  lines.add(event(6, 'ready'));
  waiting(7, 'no-address');
  expect(lines.latest.map(({ text }) => text)).toEqual(['wait 3', 'wait 5', 'ready', 'wait 7']);
});

it('only the latest are kept', () => {
  const lines = new EventLines();
  for (let at = 0; at < 2_000; at++) lines.add(event(at, 'n'));
  expect(lines.latest).toHaveLength(500);
  expect(lines.latest.at(-1)?.atMs).toBe(1_999);
  expect(lines.latest[0]?.atMs).toBe(1_500);
});
