/** Each bug that is planted in the production code breaks a promise within 1 000 seeds. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { hunt } from './hunt.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SEEDS = 1_000;
const MINUTE_MS = 60_000;

test(
  'every planted bug is found',
  async () => {
    const left = PLANTED_BUGS.map(({ name }) => name);
    const unfound: string[] = [];
    const work = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        if ((await hunt(name, 1, SEEDS)) === undefined) unfound.push(name);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    expect(unfound).toEqual([]);
  },
  60 * MINUTE_MS,
);
