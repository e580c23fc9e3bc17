import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { moduleBeside } from '../shards/mod.ts';
import type { Given } from './given.ts';
import type { Failure, RunResult } from './run.ts';
import type { Scenario } from './scenario.ts';
import { swarmScenario } from './swarm.ts';

export interface SeedTask {
  readonly base: Scenario;
  readonly seed: number;
  /** The seed decides the scenario too, and not the run alone. */
  readonly swarm: boolean;
  /** What it does not decide. Without `swarm` it is in the base. */
  readonly given?: Given;
}

/** A run without what is large in its report. */
export type SeedOutcome =
  | {
      readonly ok: true;
      readonly seed: number;
      readonly sent: number;
      readonly counts: Readonly<Record<string, number>>;
      readonly rules: Readonly<Record<string, number>>;
      readonly failed: Readonly<Record<string, number>>;
      readonly events: number;
      readonly history: string;
    }
  | {
      readonly ok: false;
      readonly seed: number;
      readonly scenario: Scenario;
      readonly failure: Failure;
      readonly history: string;
    };

export interface SeedsOptions extends Omit<SeedTask, 'seed'> {
  readonly firstSeed: number;
  readonly count: number;
  /** Worker threads; default: one a core. */
  readonly threads?: number;
  /** Failures after which no further seed is begun. */
  readonly failuresMax: number;
  readonly onOutcome: (outcome: SeedOutcome) => void;
  readonly signal?: AbortSignal;
}

/** What many runs came to. */
export interface SeedsSummary {
  readonly runs: number;
  readonly requests: number;
  readonly events: number;
  readonly failures: readonly Extract<SeedOutcome, { ok: false }>[];
  /** Over all runs: how often each kind of event and each interesting moment came. */
  readonly counts: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, number>>;
  readonly failedRequests: Readonly<Record<string, number>>;
}

/** Runs seeds on all cores. */
export async function runSeeds(options: SeedsOptions): Promise<SeedsSummary> {
  const { base, firstSeed, count, swarm, given = {}, failuresMax, onOutcome, signal } = options;
  const { threads = availableParallelism() } = options;
  const pool = new Piscina<SeedTask, SeedOutcome>({
    filename: moduleBeside(import.meta.url, 'seed-worker').href,
    name: 'runSeed',
    minThreads: threads,
    maxThreads: threads,
  });
  const failures: Extract<SeedOutcome, { ok: false }>[] = [];
  const counts = new Map<string, number>();
  const rules = new Map<string, number>();
  const failedRequests = new Map<string, number>();
  let runs = 0;
  let requests = 0;
  let events = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && failures.length < failuresMax && signal?.aborted !== true) {
      const outcome = await pool.run({ base, seed: firstSeed + next++, swarm, given });
      runs += 1;
      onOutcome(outcome);
      if (!outcome.ok) {
        failures.push(outcome);
        continue;
      }
      requests += outcome.sent;
      events += outcome.events;
      add(counts, outcome.counts);
      add(rules, outcome.rules);
      add(failedRequests, outcome.failed);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
  } finally {
    await pool.destroy();
  }
  return {
    runs,
    requests,
    events,
    failures: failures.sort((one, other) => one.seed - other.seed),
    counts: sorted(counts),
    rules: sorted(rules),
    failedRequests: sorted(failedRequests),
  };
}

export function scenarioOfSeed({ base, seed, swarm, given }: SeedTask): Scenario {
  return swarm ? swarmScenario(base, seed, given) : { ...base, seed };
}

export function outcomeOf(seed: number, scenario: Scenario, result: RunResult): SeedOutcome {
  if (!result.ok) return { ok: false, seed, scenario, failure: result.failure, history: result.history };
  const { requests, counts, rules, events, history } = result.report;
  return { ok: true, seed, sent: requests.sent, counts, rules, failed: requests.failed, events, history };
}

function add(sums: Map<string, number>, figures: Readonly<Record<string, number>>): void {
  for (const [name, figure] of Object.entries(figures)) sums.set(name, (sums.get(name) ?? 0) + figure);
}

function sorted(sums: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...sums].sort(([one], [other]) => (one < other ? -1 : 1)));
}
