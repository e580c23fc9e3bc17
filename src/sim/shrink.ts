import { checkScenario } from './check-scenario.ts';
import { type Failure, simulate } from './run.ts';
import { FAULT_NAMES, NO_FAULTS, type Scenario } from './scenario.ts';

/** Each try is a whole run. */
const TRIES_MAX = 200;
const DURATION_MS_MIN = 1_000;

export interface Shrunk {
  readonly scenario: Scenario;
  readonly failure: Failure;
  /** Runs that it took. */
  readonly tries: number;
}

/**
 * Looks for a smaller scenario that fails in the same way: without most of its faults, shorter, with less load. Greedy: each
 * simplification that still fails is kept, until none does.
 */
export async function shrink(scenario: Scenario, failure: Failure): Promise<Shrunk> {
  let best: Shrunk = { scenario, failure, tries: 0 };
  let tries = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of simplerOf(best)) {
      if (tries >= TRIES_MAX) return { ...best, tries };
      tries += 1;
      const result = await simulate(candidate);
      if (result.ok || !isSame(result.failure, failure)) continue;
      best = { scenario: candidate, failure: result.failure, tries };
      isSmaller = true;
      break;
    }
  }
  return { ...best, tries };
}

/** Scenarios with one thing less, each of which can be run again from a file. */
export function* simplerOf(shrunk: Pick<Shrunk, 'scenario' | 'failure'>): Iterable<Scenario> {
  for (const candidate of simpler(shrunk)) if (isPossible(candidate)) yield candidate;
}

function* simpler({ scenario, failure }: Pick<Shrunk, 'scenario' | 'failure'>): Iterable<Scenario> {
  const { faults, network, params, durationMs } = scenario;
  // What happened after the failure has no part in it.
  if (failure.atMs > 0 && failure.atMs < durationMs) yield { ...scenario, durationMs: Math.ceil(failure.atMs) };
  yield { ...scenario, faults: NO_FAULTS };
  for (const name of FAULT_NAMES) if (faults[name] > 0) yield { ...scenario, faults: { ...faults, [name]: 0 } };
  if (network.lost + network.doubled + network.late > 0) {
    yield { ...scenario, network: { ...network, lost: 0, doubled: 0, late: 0 } };
    for (const name of ['lost', 'doubled', 'late'] as const) {
      if (network[name] > 0) yield { ...scenario, network: { ...network, [name]: 0 } };
    }
  }
  if (durationMs > DURATION_MS_MIN) {
    yield { ...scenario, durationMs: Math.ceil(durationMs / 2) };
    yield { ...scenario, durationMs: Math.ceil(durationMs * 0.9) };
  }
  if (scenario.guest.brokenBoots > 0) yield { ...scenario, guest: { ...scenario.guest, brokenBoots: 0 } };
  if (scenario.host.failedStarts > 0) yield { ...scenario, host: { ...scenario.host, failedStarts: 0 } };
  if (scenario.disk.failedWrites > 0) yield { ...scenario, disk: { ...scenario.disk, failedWrites: 0 } };
  if (scenario.repeats > 0) yield { ...scenario, repeats: 0 };
  if (scenario.reusedIds > 0) yield { ...scenario, reusedIds: 0 };
  if (scenario.deadlyRequests > 0) yield { ...scenario, deadlyRequests: 0 };
  if (scenario.clients > 1) yield { ...scenario, clients: 1 };
  for (const key of Object.keys(params)) {
    const { [key]: _dropped, ...others } = params;
    yield { ...scenario, params: others };
  }
  if (scenario.hosts > 1) yield { ...scenario, hosts: scenario.hosts - 1 };
  if (scenario.addresses > 1) yield { ...scenario, addresses: Math.ceil(scenario.addresses / 2) };
  const { load } = scenario;
  if (load.kind === 'constant' && load.perSecond > 0.2)
    yield { ...scenario, load: { ...load, perSecond: load.perSecond / 2 } };
  else if (load.kind !== 'constant') yield { ...scenario, load: { kind: 'constant', perSecond: 5 } };
}

/** A scenario that no file may have could not be run again: some parameters need others. */
function isPossible(scenario: Scenario): boolean {
  try {
    checkScenario(scenario);
    return true;
  } catch {
    return false;
  }
}

/** The same promise is broken; figures and ids may differ. */
function isSame(one: Failure, other: Failure): boolean {
  return one.kind === other.kind && formOf(one) === formOf(other);
}

function formOf({ message }: Failure): string {
  return (message.split('\n')[0] ?? '').replace(/[\d.:]+/g, '0').replace(/\br0\b/g, 'r');
}
