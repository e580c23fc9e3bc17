/** One claim: Shoal beside a peer or a lower bound, measured alternately in one run. */
export interface Comparison extends Claim {
  readonly rounds: number;
  /** One measurement each, in `unit`. */
  readonly ours: () => Promise<number>;
  readonly baseline: () => Promise<number>;
}

export interface Claim {
  readonly name: string;
  readonly unit: string;
  /** The aim for the ratio ours / baseline; undefined if the row only explains another one. */
  readonly goal?: Goal;
}

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

/** Two figures measured one after the other, and so under the same load. */
export interface Round {
  readonly ours: number;
  readonly baseline: number;
}

export interface Row {
  readonly name: string;
  /** Medians over all rounds. */
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  /** The median of the rounds' own ratios. */
  readonly ratio: number;
  /** Half of the rounds' ratios lie between these. */
  readonly spread: readonly [number, number];
  readonly goal: string;
  readonly holds: boolean;
}

/**
 * Measures ours and the baseline alternately, so that other load on the machine affects both. A first round warms up caches and compilers
 * and does not count.
 */
export async function compare(
  comparison: Comparison,
  onRound: (round: number) => void = () => undefined,
): Promise<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round <= comparison.rounds; round++) {
    onRound(round);
    const figures = await measure(comparison, round);
    if (round > 0) rounds.push(figures);
  }
  return rowOf(comparison, rounds);
}

/** The order changes every round, because the second of a pair may profit from the first. */
async function measure({ ours, baseline }: Comparison, round: number): Promise<Round> {
  if (round % 2 === 0) return { ours: await ours(), baseline: await baseline() };
  const first = await baseline();
  return { ours: await ours(), baseline: first };
}

export function rowOf({ name, unit, goal }: Claim, rounds: readonly Round[]): Row {
  const ratios = rounds.map(({ ours, baseline }) => ours / baseline);
  const ratio = median(ratios);
  return {
    name,
    value: round4(median(rounds.map(({ ours }) => ours))),
    unit,
    baseline: round4(median(rounds.map(({ baseline }) => baseline))),
    ratio: round4(ratio),
    spread: [round4(quantile(ratios, 0.25)), round4(quantile(ratios, 0.75))],
    goal: textOf(goal),
    holds: goal === undefined || ('atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast),
  };
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** Interpolates linearly between two figures. */
function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function textOf(goal: Goal | undefined): string {
  if (goal === undefined) return 'none';
  return 'atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`;
}

function round4(figure: number): number {
  return Number(figure.toPrecision(4));
}
