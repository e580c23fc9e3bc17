import { messageOf } from '../../errors.ts';
import { checkOptions, type Rules, WHOLE_FROM_1 } from '../checks.ts';
import { systemRandom } from '../random.ts';
import { KIT_RULES, type TestKit, type TestKitOptions, testKit } from './test-kit.ts';

export interface InterleavingsOptions extends Omit<TestKitOptions, 'seed'> {
  /** How many interleavings; default 100. */
  readonly runs?: number;
  /** Runs only the interleaving of this seed; default: the environment's `SHOAL_SEED`, or else `runs` random seeds. */
  readonly seed?: number;
}

const RULES: Rules<InterleavingsOptions> = { ...KIT_RULES, runs: WHOLE_FROM_1 };
const RUNS_DEFAULT = 100;
const SEED_MAX = 2 ** 31 - 1;

/**
 * Runs a test many times, each with a kit of its own in which the actors take their turns in another order.
 * @throws the error of the test, with the seed that repeats it
 */
export async function interleavings(
  test: (kit: TestKit) => Promise<void>,
  options: InterleavingsOptions = {},
): Promise<void> {
  checkOptions('interleavings', options, RULES);
  const { runs = RUNS_DEFAULT, seed = seedOfEnvironment(), ...kitOptions } = options;
  if (seed !== undefined) return runOne(test, { ...kitOptions, seed });
  for (let run = 0; run < runs; run++)
    await runOne(test, { ...kitOptions, seed: Math.floor(systemRandom.fraction() * SEED_MAX) });
}

async function runOne(test: (kit: TestKit) => Promise<void>, options: TestKitOptions): Promise<void> {
  const kit = testKit(options);
  try {
    await test(kit);
  } catch (error) {
    // What the test has left behind says less than why it failed.
    await kit.shutdown().catch(() => undefined);
    const what = messageOf(error);
    throw new Error(`with seed ${options.seed} (SHOAL_SEED=${options.seed} replays it): ${what}`, { cause: error });
  }
  await kit.shutdown();
}

function seedOfEnvironment(): number | undefined {
  const text = process.env['SHOAL_SEED'];
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (Number.isSafeInteger(seed)) return seed;
  throw new RangeError(`Expected \`SHOAL_SEED\` to be a whole number, got \`${text}\``);
}
