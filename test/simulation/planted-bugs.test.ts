import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Page } from '../docs/page.ts';
import { firstFailure, hunt } from './hunt.ts';
import { CANARY, PLANTED_BUGS } from './planted-bugs.ts';

const RULES = Array.from({ length: 11 }, (_, index) => `R${index + 1}`);
const HOME = fileURLToPath(new URL('../..', import.meta.url));
/** One of these seeds finds the canary. */
const CANARY_SEEDS = { first: 10, count: 10 };

describe('the planted bugs', () => {
  test('fit the sources: each text to replace is there exactly once', () => {
    const misfits = PLANTED_BUGS.filter(
      ({ file, from }) => readFileSync(`${HOME}/${file}`, 'utf8').split(from).length !== 2,
    );
    expect(misfits.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
  });

  test('are at least thirty, each with a name of its own', () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(30);
  });

  test('stand in the table of invariants, each, beside the rule whose promise it breaks; no rule is without one', () => {
    const invariants = Page.read('docs/simulation.md').section('What is checked') ?? '';
    const rows = [...invariants.matchAll(/^\| \[(R\d+)\]\([^|]*\|(?:[^|]*\|){2}([^|]*)\|$/gm)];
    const named = rows.flatMap(([, , names = '']) => names.split(',').map((name) => name.trim()));
    expect(new Set(named)).toEqual(new Set(PLANTED_BUGS.map(({ name }) => name)));
    const rules = new Set(rows.map(([, rule]) => rule));
    expect(RULES.filter((rule) => !rules.has(rule))).toEqual([]);
  });

  test('a few seeds find the canary', async () => {
    expect(await hunt(CANARY, CANARY_SEEDS.first, CANARY_SEEDS.count)).toMatchObject({
      how: expect.stringMatching(/^VM \d+ runs on .*, which is nobody's in the tables/),
    });
  });

  test('without one the same seeds hold', async () => {
    expect(await firstFailure(undefined, CANARY_SEEDS.first, CANARY_SEEDS.count)).toBeUndefined();
  });

  test('a name that no bug has is refused', async () => {
    await expect(hunt('no-such-bug', 1, 1)).rejects.toThrow('there is no planted bug no-such-bug');
  });
});
