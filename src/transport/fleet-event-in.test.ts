import { expect, test } from 'vitest';
import { fleetEventIn } from './fleet-event-in.ts';

const NEWS = { atMs: 1_000, kind: 'vm-ready', text: 'VM 1 is ready', vm: 1 };

test('events come out as they were told', () => {
  expect(fleetEventIn(message(JSON.stringify(NEWS)))).toEqual(NEWS);
});

test.each([
  ['no JSON', 'VM 1'],
  ['nothing', 'null'],
  ['no object', '7'],
  ['no text', JSON.stringify({ ...NEWS, text: 7 })],
  ['no kind', JSON.stringify({ ...NEWS, kind: undefined })],
  ['no time', JSON.stringify({ ...NEWS, atMs: 'noon' })],
  ['a time that is no date', JSON.stringify({ ...NEWS, atMs: 1e300 })],
])('%s is no events', (_, text) => {
  expect(fleetEventIn(message(text))).toBeUndefined();
});

function message(text: string): Parameters<typeof fleetEventIn>[0] {
  return { json: () => JSON.parse(text) };
}
