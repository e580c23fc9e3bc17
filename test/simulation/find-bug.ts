/**
 * `find-bug.ts FIRST COUNT`: runs seeds until one fails. Prints the number of each seed before it runs, and last the one that failed with its
 * failure as JSON, or `null`.
 */
import { DEFAULT_SCENARIO, simulate, swarmScenario } from '../../src/sim/mod.ts';

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
let found: unknown = null;
for (let seed = first; seed < first + count && found === null; seed++) {
  process.stdout.write(`${seed}\n`);
  const result = await simulate(swarmScenario(DEFAULT_SCENARIO, seed));
  if (!result.ok) found = { seed, failure: result.failure };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
