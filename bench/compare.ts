/** One claim: what is ours beside a peer or a floor, measured in turns in the same run. */
export interface Comparison {
  readonly name: string;
  readonly unit: string;
  /** The ratio ours / baseline that we aim at. */
  readonly goal: Goal;
  readonly rounds: number;
  /** One measurement each, in `unit`. */
  readonly ours: () => Promise<number>;
  readonly baseline: () => Promise<number>;
}

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  readonly ratio: number;
  readonly goal: string;
  readonly holds: boolean;
}

/**
 * Measures ours and the baseline in turns, so that whatever else the machine does meets both, and compares the medians. One
 * round before the first warms caches and compilers and does not count.
 */
export async function compare(
  comparison: Comparison,
  onRound: (round: number) => void = () => undefined,
): Promise<Row> {
  const { name, unit, goal, rounds } = comparison;
  const ours: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    onRound(round);
    // The order changes every round: the second of a pair may profit from the first.
    const first = round % 2 === 0 ? 'ours' : 'baseline';
    for (const side of [first, first === 'ours' ? 'baseline' : 'ours']) {
      const figure = side === 'ours' ? await comparison.ours() : await comparison.baseline();
      if (round > 0) (side === 'ours' ? ours : baseline).push(figure);
    }
  }
  return rowOf({ name, unit, goal, value: median(ours), baseline: median(baseline) });
}

export function rowOf(of: Pick<Comparison, 'name' | 'unit' | 'goal'> & { value: number; baseline: number }): Row {
  const { name, unit, goal, value, baseline } = of;
  const ratio = value / baseline;
  const holds = 'atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast;
  const goalText = 'atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`;
  return { name, value: round4(value), unit, baseline: round4(baseline), ratio: round4(ratio), goal: goalText, holds };
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function round4(figure: number): number {
  return Number(figure.toPrecision(4));
}
