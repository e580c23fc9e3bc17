import fc from 'fast-check';
import { it } from 'vitest';
import { playScenario, scenarios } from './random-losses.ts';

const MINUTES = 3;

it(
  'in many runs: each message is handled, refused or a dead letter, whichever thread is lost',
  async () => {
    const run = fc.asyncProperty(scenarios, playScenario);
    await fc.assert(run, { numRuns: 150, endOnFailure: true, interruptAfterTimeLimit: MINUTES * 60_000 });
  },
  (MINUTES + 1) * 60_000,
);
