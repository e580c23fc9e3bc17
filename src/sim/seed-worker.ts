import { simulate } from './run.ts';
import { outcomeOf, type SeedOutcome, type SeedTask } from './seeds.ts';
import { swarmScenario } from './swarm.ts';

/** One run, on a thread of piscina. */
export async function runSeed({ base, seed, swarm }: SeedTask): Promise<SeedOutcome> {
  const scenario = swarm ? swarmScenario(base, seed) : { ...base, seed };
  return outcomeOf(seed, scenario, await simulate(scenario));
}
