import { expect, test } from 'vitest';
import { fleetEventIn } from './fleet-event-in.ts';

const EVENT = { atMs: 1_000, kind: 'vm-ready', text: 'VM 1 is ready', vm: 1 };

test('an event comes out as it was published', () => {
  expect(fleetEventIn(message(JSON.stringify(EVENT)))).toEqual(EVENT);
});

test.each([
  ['no JSON', 'VM 1'],
  ['nothing', 'null'],
  ['no object', '7'],
  ['no text', JSON.stringify({ ...EVENT, text: 7 })],
  ['no kind', JSON.stringify({ ...EVENT, kind: undefined })],
  ['no time', JSON.stringify({ ...EVENT, atMs: 'noon' })],
  ['a VM that is no number', JSON.stringify({ ...EVENT, vm: '1' })],
  ['a host that is no text', JSON.stringify({ ...EVENT, host: {} })],
  ['figures that are none', JSON.stringify({ ...EVENT, figures: 'many' })],
  ['a reason that is no word', JSON.stringify({ ...EVENT, reason: 7 })],
  ['considered that is no list', JSON.stringify({ ...EVENT, considered: {} })],
  ['considered without a reason', JSON.stringify({ ...EVENT, considered: [{ what: 'VM 1' }] })],
  ['an error that is none', JSON.stringify({ ...EVENT, error: { message: 7 } })],
  ['an error with causes without end', JSON.stringify({ ...EVENT, error: nested(1_000) })],
  ['more than an event can say', JSON.stringify({ ...EVENT, text: 'x'.repeat(100_000) })],
  ['a time that is no date', JSON.stringify({ ...EVENT, atMs: 1e300 })],
])('%s is no event', (_, text) => {
  expect(fleetEventIn(message(text))).toBeUndefined();
});

test('what a newer version adds is kept', () => {
  const newer = {
    ...EVENT,
    kind: 'vm-moved',
    rule: 'R99',
    figures: { room: 3 },
    reason: 'bored',
    considered: [{ what: 'VM 1', why: 'x' }],
    error: nested(2),
    more: [1],
  };
  expect(fleetEventIn(message(JSON.stringify(newer)))).toEqual(newer);
});

function nested(causes: number): object {
  const error = { name: 'Error', code: 'INTERNAL', message: 'it failed', details: {} };
  return causes === 0 ? error : { ...error, cause: nested(causes - 1) };
}

function message(text: string): Parameters<typeof fleetEventIn>[0] {
  return { data: new TextEncoder().encode(text), json: () => JSON.parse(text) };
}
