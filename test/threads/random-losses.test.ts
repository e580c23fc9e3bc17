import fc from 'fast-check';
import { it } from 'vitest';
import { playScenario, scenarios } from './random-losses.ts';

it('whatever crashes and whichever thread is lost when: each message is handled, refused or a dead letter', async () => {
  await fc.assert(fc.asyncProperty(scenarios, playScenario), { numRuns: 12, endOnFailure: true });
});
