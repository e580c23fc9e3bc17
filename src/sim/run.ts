import { InvariantViolation } from './checks.ts';
import { History } from './history.ts';
import type { Report } from './report.ts';
import type { Scenario } from './scenario.ts';
import { type DecisionListener, World } from './world.ts';

/** How a run broke a promise, or the code under simulation. */
export interface Failure {
  readonly kind: 'invariant' | 'error';
  readonly message: string;
  /** Milliseconds since the world began. */
  readonly atMs: number;
}

export type RunResult =
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly failure: Failure; readonly history: string };

/**
 * Runs a scenario. Never rejects.
 * @param onLine gets one aligned line for each event
 * @param decisions is told what the fleet decides
 */
export async function simulate(
  scenario: Scenario,
  onLine?: (line: string) => void,
  decisions?: DecisionListener,
): Promise<RunResult> {
  const history = new History(onLine);
  const world = new World({ scenario, history, decisions });
  try {
    return { ok: true, report: await world.run() };
  } catch (error) {
    const kind = error instanceof InvariantViolation ? 'invariant' : 'error';
    const message =
      error instanceof Error ? (kind === 'error' ? (error.stack ?? error.message) : error.message) : String(error);
    const failure = { kind, message, atMs: world.time.nowMs } as const;
    return { ok: false, failure, history: history.digest() };
  }
}
