/**
 * Lets a property test be replayed or deepened from outside: `FC_SEED=1234 FC_NUM_RUNS=10000 npm test`.
 * fast-check prints the seed and the path of a counterexample by itself when a property fails.
 */
import fc from 'fast-check';

const seed = integerFrom('FC_SEED');
const numRuns = integerFrom('FC_NUM_RUNS');

fc.configureGlobal({
  ...(seed === undefined ? {} : { seed }),
  ...(numRuns === undefined ? {} : { numRuns }),
});

function integerFrom(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`Expected \`${name}\` to be an integer, got \`${text}\``);
  return value;
}
