import { expect, test } from 'vitest';
import type { FleetEvent } from '../fleet/mod.ts';
import { ToldEvents } from './told-events.ts';

const event = (atMs: number, text = `event ${atMs}`): FleetEvent => ({ atMs, kind: 'vm-ready', text });

test('an event is told once, whether it was heard, remembered or both', () => {
  const told: string[] = [];
  const events = new ToldEvents(({ text }) => told.push(text));
  events.remembered([event(1), event(2)]);
  events.live(event(2));
  events.live(event(3));
  events.remembered([event(1), event(2), event(3), event(3, 'another event 3'), event(4)]);
  expect(told).toEqual(['event 1', 'event 2', 'event 3', 'another event 3', 'event 4']);
});

test('those that were not asked for stay untold', () => {
  const told: string[] = [];
  const events = new ToldEvents(({ text }) => told.push(text));
  events.remembered([event(5)]);
  events.remembered([event(4), event(5)]);
  expect(told).toEqual(['event 5']);
});
