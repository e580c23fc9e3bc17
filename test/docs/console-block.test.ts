import { expect, test } from 'vitest';
import { stepsOf, withoutFigures } from './console-block.ts';

test('a session is its commands with what each prints', () => {
  expect(stepsOf('$ shoal send x\nX\n$ shoal down\n$ shoal ps\na\n\nb')).toEqual([
    { command: 'shoal send x', output: 'X' },
    { command: 'shoal down', output: '' },
    { command: 'shoal ps', output: 'a\n\nb' },
  ]);
});

test('figures, columns and hosts do not count, and words do', () => {
  const shown = 'VM  ADDRESS          HOST    UPTIME\n 1  127.0.10.1:9000  laptop      6s';
  const printed = 'VM  ADDRESS             HOST  UPTIME\n12  127.77.109.14:9000  box    1m 12s';
  expect(withoutFigures(printed, 'box')).toBe(withoutFigures(shown, 'box'));
  expect(withoutFigures('HELLO', 'box')).not.toBe(withoutFigures('HALLO', 'box'));
});
