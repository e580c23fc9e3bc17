import { expect, it } from 'vitest';
import { CheckList, type CheckPoint } from './check-point.ts';
import { exitText } from './exit-text.ts';

it('what QEMU wrote before its end is one line of a point, from the beginning of a word', () => {
  const told: CheckPoint[] = [];
  const list = new CheckList((point) => told.push(point));
  const stderr = `${'DR0=0000000000000000 '.repeat(20)}\nEFER=0\r\n\nqemu: no memory`;
  list.failed('ready', `QEMU ended (${exitText({ exitCode: 1, signal: null, stderr })})`);
  const [{ why } = { why: '' }] = told;
  expect(why).toMatch(/^QEMU ended \(exit code 1: \.\.\. DR0=0.*DR0=0+ \| EFER=0 \| qemu: no memory\)$/);
  expect(list.finish('it did not become ready')).toContainEqual(told[0]);
});
