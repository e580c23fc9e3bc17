import { expect, it } from 'vitest';
import { HeldBatches } from './held-batches.ts';
import { OP, type Op } from './wire.ts';

it('batches that wait do so in order, without what is urgent in them, which is obeyed at once', () => {
  const held = new HeldBatches();
  const urgent: Op[] = [];
  const obeyAck = (op: Op): boolean => op.op === 'ack' && urgent.push(op) > 0;
  const ack: Op = { op: 'ack', count: 7 };
  const release: Op = { op: 'release', id: 3, count: 1 };
  const op = (one: Op): unknown[] => [OP, one, undefined, false];
  const first = [5, 'a message', undefined, true];
  held.add([...first, ...op(ack), ...op(release)], obeyAck);
  held.add([6, 'another', undefined, false], obeyAck);
  expect(urgent).toEqual([ack]);
  expect(held.first).toEqual([...first, ...op(release)]);
  held.shift();
  expect(held.first).toEqual([6, 'another', undefined, false]);
  held.shift();
  expect(held.isEmpty).toBe(true);
});
