import { expect, test } from 'vitest';
import { heading, lineOf, type Moment } from './timeline.ts';

const MOMENT: Moment = {
  elapsedMs: 3_512,
  vms: [
    { state: 'ready', in_flight: 0 },
    { state: 'booting', in_flight: 0 },
    { state: 'ready', in_flight: 1 },
    { state: 'draining', in_flight: 1 },
    { state: 'preparing', in_flight: 0 },
  ],
  requests: 1_240,
  perSecond: 310.4,
  inFlight: 12,
  started: 0,
  gone: 0,
  errors: 0,
};

test('a line shows each VM by its state, those that work first', () => {
  expect(lineOf(MOMENT, 8, false)).toBe('   3.5 s  #o++-      5      1240         310         12');
  const eventful = { ...MOMENT, started: 3, gone: 1, errors: 2 };
  expect(lineOf(eventful, 8, false)).toMatch(/ 12 {2}3 started, 1 left, 2 errors so far$/);
});

test('it lines up with its heading', () => {
  const [, , titles = ''] = heading(8, false).split('\n');
  const line = lineOf(MOMENT, 8, false);
  expect(titles).toHaveLength(line.length);
  expect(titles.indexOf('VMs')).toBe(line.indexOf('#'));
});

test('colours stand around the glyphs only, and only where they are wanted', () => {
  const coloured = lineOf(MOMENT, 8, true);
  expect(coloured).toContain('\u001b[32m#\u001b[0m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(lineOf(MOMENT, 8, false));
  expect(heading(8, false)).not.toContain('\u001b');
});
