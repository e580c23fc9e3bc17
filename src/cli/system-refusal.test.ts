import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemRefusal } from './system-refusal.ts';

test('an error of the system is told with its reason and a remedy', () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write '/data/x'"), { code: 'ENOSPC' });
  expect(systemRefusal(full)).toMatchObject({
    code: 'SYSTEM_REFUSED',
    message: expect.stringMatching(/no space left on device, write '\/data\/x'.*make room/),
  });
});

test('the limit of open files has a code of its own, wherever it is met', () => {
  const error = Object.assign(new Error("EMFILE: too many open files, open '/x'"), { code: 'EMFILE' });
  expect(systemRefusal(error)).toMatchObject({
    code: 'OPEN_FILES_LIMIT',
    message: expect.stringContaining('ulimit -n'),
  });
});

test('so is one without a remedy of its own', () => {
  let thrown: unknown;
  try {
    mkdirSync('/proc/self');
  } catch (error) {
    thrown = error;
  }
  expect(systemRefusal(thrown)?.message).toMatch(/EEXIST.*\/proc\/self/);
});

test.each([new Error('boom'), Object.assign(new Error('bad'), { code: 'ERR_INVALID_ARG_TYPE' }), 'text'])(
  'what the system did not say is a defect: %s',
  (error) => {
    expect(systemRefusal(error)).toBeUndefined();
  },
);
