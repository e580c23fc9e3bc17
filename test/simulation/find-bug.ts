/** `find-bug.ts FIRST COUNT`: runs seeds until one fails. Prints the failing seed and its failure as JSON, or null. */
import { DEFAULT_SCENARIO, simulate, swarmScenario } from '../../src/sim/mod.ts';

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
let found: unknown = null;
for (let seed = first; seed < first + count && found === null; seed++) {
  const result = await simulate(swarmScenario(DEFAULT_SCENARIO, seed));
  if (!result.ok) found = { seed, failure: result.failure };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
