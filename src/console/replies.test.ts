import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameText } from './once.ts';
import { eventsIn, logIn, snapshotIn } from './replies.ts';
import { factsOf, HINTS, snapshotOf, vmRow } from './testing/facts.ts';

const INVALID = { code: 'NATS_MESSAGE_INVALID' };

test('a reply as Shoal gives it passes', () => {
  const snapshot = snapshotOf([vmRow(1), vmRow(2, { cpu: null, uptime_ms: null })], { blocked: 'why' });
  expect(snapshotIn(snapshot)).toEqual(snapshot);
  const { blocked: _, ...older } = snapshot;
  expect(snapshotIn(older)).toMatchObject({ blocked: null });
});

test('whatever else comes is refused, or can be shown', () => {
  const anyReply = fc.oneof(
    fc.jsonValue(),
    fc.record({ vms: fc.jsonValue(), hosts: fc.jsonValue(), requests: fc.jsonValue(), waiting: fc.jsonValue() }),
    fc
      .tuple(fc.constantFrom('vms', 'hosts', 'requests', 'blocked', 'uptime_ms'), fc.jsonValue())
      .map(([name, value]) => ({ ...snapshotOf([vmRow(1)]), [name]: value })),
    fc
      .tuple(fc.constantFrom(...Object.keys(vmRow(1))), fc.jsonValue())
      .map(([name, value]) => snapshotOf([{ ...vmRow(1), [name]: value }])),
  );
  fc.assert(
    fc.property(anyReply, (reply) => {
      try {
        expect(frameText(factsOf([snapshotIn(reply)]), HINTS, 100)).toContain('Shoal');
      } catch (error) {
        expect(error).toMatchObject(INVALID);
      }
    }),
  );
});

test('of events those that are none are left out', () => {
  const event = { atMs: 1, kind: 'vm-ready', text: 'a' };
  expect(eventsIn([event, null, 7, { ...event, text: 7 }, { ...event, atMs: 1e300 }])).toEqual([event]);
  expect(() => eventsIn({})).toThrow(expect.objectContaining(INVALID));
});

test.each([null, [], {}, { lines: 7 }, { lines: [7] }, { lines: [{ atMs: 'x', text: 'a' }] }])(
  '%j is no log',
  (reply) => {
    expect(() => logIn(reply)).toThrow(expect.objectContaining(INVALID));
  },
);
