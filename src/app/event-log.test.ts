import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import { EventLog } from './event-log.ts';

test('the latest thousand events are kept, oldest first, and those of a VM can be had alone', () => {
  const log = new EventLog(new ManualClock());
  for (let vm = 1; vm <= 1_200; vm++) log.add({ atMs: vm, kind: 'vm-start', vm: vm % 2, text: String(vm) });
  const texts = (count: number, vm?: number): readonly string[] => log.latest(count, vm).map(({ text }) => text);
  expect(texts(5_000)).toHaveLength(1_000);
  expect(texts(2)).toEqual(['1199', '1200']);
  expect(texts(2, 1)).toEqual(['1197', '1199']);
});

test('each listener is told each event, without a stack', () => {
  const log = new EventLog(new ManualClock());
  const told: unknown[] = [];
  log.listen((event) => told.push(event));
  log.warn('something', toEnvelope(new ShoalError('INTERNAL', 'a defect')));
  expect(told).toMatchObject([{ kind: 'warning', text: 'something', error: { code: 'INTERNAL' } }]);
  expect(JSON.stringify(told)).not.toContain('stack');
});

test('an event happens on the host of the log, unless it says otherwise', () => {
  const log = new EventLog(new ManualClock(), 'a');
  log.warn('something');
  log.add({ atMs: 0, kind: 'host-up', host: 'b', text: 'elsewhere' });
  expect(log.latest(2).map(({ host }) => host)).toEqual(['a', 'b']);
});
