import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { ShoalError } from '../errors.ts';
import { checkOpenFiles, processShortage } from './mod.ts';

test.each([
  [0, 65, true],
  [0, 66, false],
  [1, 62, true],
  [1, 63, false],
])('with %i VMs starting and %i of 100 files open one more VM may start: %j', (starting, open, mayStart) => {
  const check = expect(() => checkOpenFiles(starting, open, 100));
  if (mayStart) check.not.toThrow();
  else check.toThrow(expect.objectContaining({ code: 'OPEN_FILES_LIMIT', details: { open, max: 100 } }));
});

it('counts each open file once', () => {
  const open = (): unknown => {
    try {
      return checkOpenFiles(0, undefined, 0);
    } catch (error) {
      return error instanceof ShoalError && error.details['open'];
    }
  };
  const before = open();
  const files = [1, 2, 3].map(() => openSync('/dev/null', 'r'));
  const during = open();
  for (const file of files) closeSync(file);
  expect([during, open()]).toEqual([Number(before) + 3, before]);
  expect(before).toBe(readdirSync('/proc/self/fd').length - 1);
});

it('is a shortage of processes if a Shoal does not fit below a limit', () => {
  const use = (used: number) => ({ limit: '`ulimit -u`', max: 100, used });
  expect(processShortage(() => [use(68)])).toBeUndefined();
  expect(processShortage(() => [use(10), use(69)])).toEqual(use(69));
});
