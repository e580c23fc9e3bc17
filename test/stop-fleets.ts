import { afterAll } from 'vitest';
import { endLeft } from './driver/end-left.ts';
import { killRunning } from './driver/shoal-process.ts';

// A test that failed halfway has not ended what it started; the next must not meet it.
afterAll(async () => {
  await killRunning();
  endLeft();
});
