import { simulate } from './run.ts';
import { outcomeOf, type SeedOutcome, type SeedTask, scenarioOfSeed } from './seeds.ts';

/** One run, on a thread of piscina. */
export async function runSeed(task: SeedTask): Promise<SeedOutcome> {
  const scenario = scenarioOfSeed(task);
  return outcomeOf(task.seed, scenario, await simulate(scenario));
}
