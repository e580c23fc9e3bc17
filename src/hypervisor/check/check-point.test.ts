import { expect, it } from 'vitest';
import { CheckList, type CheckPoint, firstFailed } from './check-point.ts';
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

it('of several points that failed the first one tells why, and skipped ones tell nothing', () => {
  const list = new CheckList(() => undefined);
  list.ok('file', 'there');
  list.skipped('cancel', 'HTTP has no way to cancel');
  expect(firstFailed(list.finish('it ended'))).toBeUndefined();
  const other = new CheckList(() => undefined);
  other.failed('exit', 'it runs on');
  other.failed('link', 'no answer');
  expect(firstFailed(other.finish('it ended'))).toMatchObject({ name: 'link' });
});
