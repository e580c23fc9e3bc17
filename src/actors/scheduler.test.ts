import { expect, onTestFinished, test } from 'vitest';
import { FairScheduler, type Runnable } from './scheduler.ts';

/** Catches uncaught errors, which would end the process. */
function uncaught(): unknown[] {
  const errors: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
  return errors;
}

const turnsOf = (turns: number, done: () => void): Runnable => {
  let left = turns;
  return {
    turn: () => {
      left -= 1;
      if (left === 0) done();
      return left > 0;
    },
  };
};

test('a turn that throws is uncaught, and the others take theirs, also those that come later', async () => {
  const errors = uncaught();
  const scheduler = new FairScheduler();
  const failure = new Error('a defect');
  const before = Promise.withResolvers<void>();
  const after = Promise.withResolvers<void>();
  scheduler.schedule(turnsOf(100, before.resolve));
  scheduler.schedule({
    turn: () => {
      throw failure;
    },
  });
  scheduler.schedule(turnsOf(100, after.resolve));
  await Promise.all([before.promise, after.promise]);
  expect(errors).toEqual([failure]);
  const later = Promise.withResolvers<void>();
  scheduler.schedule(turnsOf(1, later.resolve));
  await later.promise;
});
