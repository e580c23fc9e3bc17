import { expect, onTestFinished, test } from 'vitest';
import { DEFAULT_SCENARIO } from './defaults.ts';
import type { Given } from './given.ts';
import { MOMENTS, unreached } from './moments.ts';
import { simulate } from './run.ts';
import type { Scenario } from './scenario.ts';
import { runSeeds } from './seeds.ts';
import { swarmScenario } from './swarm.ts';

const SEEDS = 40;

test('what the rules promise holds in each scenario, over all its faults; each seed once', async () => {
  const seeds: number[] = [];
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const summary = await runSeeds({
    base: DEFAULT_SCENARIO,
    firstSeed: 1,
    count: SEEDS,
    swarm: true,
    failuresMax: SEEDS,
    onOutcome: ({ seed }) => seeds.push(seed),
    signal: ending.signal,
  });
  expect(summary.failures.map(({ seed, failure }) => `${seed}: ${failure.message}`)).toEqual([]);
  expect(seeds.sort((one, other) => one - other)).toEqual(Array.from({ length: SEEDS }, (_, index) => index + 1));
  expect(summary).toMatchObject({ runs: SEEDS });
  // Rare moments need more seeds.
  expect(unreached(summary).length).toBeLessThan(MOMENTS.length / 2);
});

test('the same seed gives the same history to the last event, another seed another one', async () => {
  const historyOf = async (seed: number): Promise<string> => {
    const lines: string[] = [];
    const result = await simulate(swarmScenario(DEFAULT_SCENARIO, seed), (line) => lines.push(line));
    if (!result.ok) throw new Error(result.failure.message);
    expect(lines).toHaveLength(result.report.events);
    return result.report.history;
  };
  const first = await historyOf(7);
  expect(await historyOf(7)).toBe(first);
  expect(await historyOf(8)).not.toBe(first);
});

test('a history does not hang on what ran in this process before', async () => {
  const scenario = swarmScenario(DEFAULT_SCENARIO, 7);
  const histories = new Set<string | undefined>();
  // The memory that the writers of frames share is used up by and by.
  for (let run = 0; run < 6; run++) {
    const result = await simulate(scenario);
    histories.add(result.ok ? result.report.history : undefined);
  }
  expect(histories.size).toBe(1);
});

test.each([
  ['an end that fell between a greeting and the hello of the other host was told to nobody', 1_475],
  ['the monitor of a spare took `cont` before the `stop` that was sent first', 2_473],
  ['a spare that boots ahead is wanted through another VM before its CPU runs', 537],
  ['a host tried a request again whose home lost it meanwhile, and tried it, too', 4_009],
  ['a host that leaves stops a VM whose stop command a hostile guest has kept', 3_367],
  ['a guest took two texts for one request that came under one id by way of other hosts', 4_914],
  ['what a host that was killed told twice counted against the hosts that a repeat had come to', 413],
])('once broke a promise: %s', async (_what, seed) => {
  const result = await simulate(swarmScenario(DEFAULT_SCENARIO, seed));
  expect(result.ok ? undefined : result.failure.message).toBeUndefined();
});

test.each<[string, number, Given]>([
  ['guests work off requests of 20 s for nobody', 12, { service: { kind: 'constant', ms: 20_000 } }],
  ['no VM counts as idle', 2, { params: { idle_cpu_percent: 0 } }],
  ['a host that deploys has memory for no VM', 3, { params: { host_memory_reserve_bytes: 64 * 1024 ** 3 } }],
])('no promise is broken where %s', async (_what, seed, given) => {
  const result = await simulate(swarmScenario(DEFAULT_SCENARIO, seed, given));
  expect(result.ok ? undefined : result.failure.message).toBeUndefined();
});

test('two runs at the same time do not touch each other', async () => {
  const scenario = swarmScenario(DEFAULT_SCENARIO, 9);
  const [one, other, alone] = await Promise.all([simulate(scenario), simulate(scenario)]).then(async (both) => [
    ...both,
    await simulate(scenario),
  ]);
  expect(one).toEqual(other);
  expect(one).toEqual(alone);
});

test('a report has the figures of what was sent, served and started', async () => {
  const scenario: Scenario = { ...DEFAULT_SCENARIO, load: { kind: 'constant', perSecond: 10 }, durationMs: 30_000 };
  const result = await simulate(scenario);
  if (!result.ok) throw new Error(result.failure.message);
  const { requests, vms, samples } = result.report;
  expect(Math.abs(requests.sent - 300)).toBeLessThan(80);
  expect(requests).toMatchObject({ ok: requests.sent, failed: {} });
  const { p50 = 0, p95 = 0, p99 = 0, max = 0 } = requests.latencyMs ?? {};
  expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].sort((one, other) => one - other));
  expect(vms.started).toBeGreaterThanOrEqual(vms.peak);
  expect(samples.reduce((sum, { sent }) => sum + sent, 0)).toBe(requests.sent);
});

test('the most VMs at a time are counted at each start, and not at the samples only', async () => {
  let running = 0;
  let most = 0;
  const result = await simulate(swarmScenario(DEFAULT_SCENARIO, 8), (line) => {
    if (/ qemu-(?:started|ended) /.test(line)) running += line.includes(' qemu-started ') ? 1 : -1;
    most = Math.max(most, running);
  });
  if (!result.ok) throw new Error(result.failure.message);
  expect(result.report.vms.peak).toBe(most);
  // Otherwise this seed shows nothing.
  expect(Math.max(...result.report.samples.map(({ vms }) => vms))).toBeLessThan(most);
});

test('what the code under simulation cannot start with is told as its failure', async () => {
  const scenario: Scenario = { ...DEFAULT_SCENARIO, durationMs: 1_000, params: { min_vm_count: 3 }, memoryBytes: 0 };
  // Without memory no VM can be had, and none is promised.
  expect(await simulate(scenario)).toMatchObject({ ok: true, report: { requests: { ok: 0 }, vms: { started: 0 } } });
});
