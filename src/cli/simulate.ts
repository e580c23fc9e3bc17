import { getHeapStatistics } from 'node:v8';
import { chartOf, runSeeds, type Scenario, type SeedTask, scenarioOfSeed, simulate, unreached } from '../sim/mod.ts';
import { type Command, OUTPUT_FLAG } from './command.ts';
import { printData, printJson, printText, say } from './output.ts';
import { checkWritable, writeOutput } from './output-file.ts';
import { interruption } from './signals.ts';
import { SimulationDecisions } from './simulation-decisions.ts';
import { asTheyAre, failuresIn, smaller } from './simulation-failures.ts';
import { failureJson, reportJson, seedsJson } from './simulation-json.ts';
import { memoryHint } from './simulation-memory.ts';
import { optionsOf } from './simulation-options.ts';
import { planOf } from './simulation-scenario.ts';
import { failuresOf, isProof, seedsSummaryOf, simulationSummaryOf } from './simulation-summary.ts';

const FAILURES_MAX = 3;

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'runs a fleet on simulated machines: what it does under a load and with faults, in a fraction of the time',
  words: '',
  wordsMax: 0,
  flags: [
    {
      name: 'load',
      value: 'SHAPE',
      about:
        'requests a second: constant:RATE, step:RATE:RATE:AT, burst:RATE:PEAK:EVERY:FOR, sine:FROM:TO:PERIOD (default: constant:20)',
    },
    { name: 'trace', value: 'FILE', about: 'requests from a CSV file instead: time,count or one arrival a line' },
    {
      name: 'from',
      value: 'TIME',
      about: 'begin at this time of the trace, as 1998-06-30 or in seconds (default: its first line)',
    },
    { name: 'scale', value: 'FACTOR', about: 'multiply the counts of the trace (default: 1)' },
    { name: 'duration', short: 'd', value: 'S', about: 'simulated seconds of load (default: 60, or the whole trace)' },
    { name: 'hosts', value: 'N', about: 'hosts that serve as one fleet, each a whole Shoal (default: 1)' },
    { name: 'beat', value: 'MS', about: 'how often hosts give each other a sign of life (default: 1000)' },
    { name: 'vms', value: 'N', about: 'addresses of each host, and so VMs at the most (default: 50)' },
    { name: 'clients', value: 'N', about: 'clients that share the requests (default: 4)' },
    { name: 'param', value: 'NAME=VALUE', multiple: true, about: 'a parameter, as of `shoal params`; may be repeated' },
    {
      name: 'control',
      value: 'HOW',
      choices: ['direct', 'relay'],
      about:
        'how commands reach the controllers, as of `shoal up`; with relay some guests are hostile (default: direct)',
    },
    { name: 'boot', value: 'MS', about: 'how long guests boot: 12, 10..20 or lognormal:MEDIAN:SIGMA' },
    { name: 'service', value: 'MS', about: 'how long a request computes, in the same forms' },
    {
      name: 'ms-per-unit',
      value: 'MS',
      about: 'how long a unit of work, the last column of the trace, computes; instead of --service',
    },
    {
      name: 'faults',
      value: 'NAME=RATE,...',
      about: 'faults a simulated minute, such as vmCrash=6,shoalCrash=1 (default: none)',
    },
    {
      name: 'messages',
      value: 'NAME=SHARE,...',
      about: 'messages of NATS that go wrong, such as lost=0.005,doubled=0.01,late=0.02 (default: none)',
    },
    { name: 'deadline', value: 'MS', about: 'of each request (default: 30000)' },
    { name: 'seed', value: 'N', about: 'decides all chance: the same seed gives the same history (default: 1)' },
    { name: 'chaos', about: 'the seed decides load, limits, parameters and faults too, as far as no flag does' },
    {
      name: 'seeds',
      value: 'N',
      about: 'run N seeds on all cores, from --seed on, with --chaos unless a load is given',
    },
    {
      name: 'failures',
      value: 'FILE',
      about: 'where --seeds writes what failed, made smaller (default: simulation-failures.json)',
    },
    { name: 'scenario', value: 'FILE', about: 'run the scenario of such a file again' },
    { name: 'lines', about: 'print a line for each event' },
    { name: 'events', about: 'print the events of the fleet, as `shoal events` does' },
    { name: 'why', about: 'with --events: figures and reason, and what else was considered and why it was not chosen' },
    {
      name: 'explain',
      value: 'WHAT',
      about: 'after the run, explain last, "last N", "vm VM", "vm HOST/VM" or "request ID", as `shoal explain` does',
    },
    { name: 'chart', value: 'FILE', about: 'write load, VMs and latency over time as SVG' },
    OUTPUT_FLAG,
  ],
  examples: [
    [
      'shoal simulate --load burst:5:200:30:5 --duration 120',
      'two minutes with a burst every half minute, in about a second',
    ],
    [
      'shoal simulate --load sine:1:50:60 --faults vmCrash=6,shoalCrash=1 --seed 7 --chart /tmp/fleet.svg',
      'faults, and a picture',
    ],
    [
      'shoal simulate --load burst:2:60:20:3 --explain "last 5"',
      'why the fleet did what it did last: rule, figures, and what else was considered',
    ],
    [
      'shoal simulate --hosts 3 --load constant:200 --faults hostCrash=2,hostLeave=1',
      'three hosts that serve as one fleet, two that lose their power and one that leaves and comes back in a minute',
    ],
    ['shoal simulate --seeds 20', 'twenty scenarios that their seeds decide, each checked after every event'],
  ],
  run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const { task, count, hasLines, chart, decisions, failures } = planOf(simulateCommand, flags);
    if (count !== undefined) {
      checkWritable({ flag: '--failures', path: failures });
      return runMany(task, count, json, failures);
    }
    if (chart !== undefined) checkWritable({ flag: '--chart', path: chart });
    return runOne(scenarioOfSeed(task), { json, hasLines, chart, decisions: new SimulationDecisions(decisions, json) });
  },
};

interface Shown {
  readonly json: boolean;
  readonly hasLines: boolean;
  readonly chart: string | undefined;
  readonly decisions: SimulationDecisions;
}

async function runOne(scenario: Scenario, { json, hasLines, chart, decisions }: Shown): Promise<number> {
  const hint = memoryHint(scenario, getHeapStatistics().heap_size_limit);
  if (hint !== undefined) say(hint);
  const result = await simulate(scenario, hasLines ? printData : undefined, decisions.isWanted ? decisions : undefined);
  const [explained, text] = [decisions.explained(), decisions.text()];
  if (!result.ok) {
    const { message, atMs } = result.failure;
    if (json) printJson({ ...failureJson(result.failure, result.history, scenario), explained });
    else if (text !== undefined) printText(text);
    if (!json) say(`After ${(atMs / 1_000).toFixed(3)} simulated seconds: ${message}`);
    return 1;
  }
  const { report } = result;
  if (json) printJson({ ...reportJson(report, scenario), explained });
  else printText([simulationSummaryOf(report, optionsOf(scenario)), ...(text === undefined ? [] : [text])].join('\n'));
  if (chart !== undefined) writeOutput({ flag: '--chart', path: chart }, chartOf(report));
  return 0;
}

async function runMany(task: Required<SeedTask>, count: number, json: boolean, failures: string): Promise<number> {
  const { base, seed, swarm, given } = task;
  const { signal, over } = interruption();
  let done = 0;
  const summary = await runSeeds({
    base,
    firstSeed: seed,
    count,
    swarm,
    given,
    failuresMax: FAILURES_MAX,
    signal,
    onOutcome: () => {
      done += 1;
      if (process.stderr.isTTY && done % 10 === 0) process.stderr.write(`\r${done} of ${count} seeds`);
    },
  }).finally(over);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  // What is given may rule a moment out.
  const isWhole = swarm && Object.keys(given).length === 0 && summary.runs >= SEEDS_FOR_ALL_MOMENTS;
  const missed = isWhole ? unreached(summary) : [];
  const result = { summary, missed, isInterrupted: signal.aborted && summary.runs < count };
  if (json) printJson(seedsJson(result));
  else printData(seedsSummaryOf(result));
  if (result.isInterrupted) say(`interrupted: ${summary.runs} of ${count} seeds have run`);
  if (summary.failures.length > 0) {
    const file = { flag: '--failures', path: failures };
    writeOutput(file, failuresIn(failures, asTheyAre(summary)).text);
    const failed = await smaller(summary);
    say(failuresOf(failed));
    const { command, text } = failuresIn(failures, failed);
    writeOutput(file, text);
    say(`Written to ${failures}; \`${command}\` repeats the first.`);
  }
  return isProof(result) ? 0 : 1;
}

/** Fewer seeds need not reach every moment. */
const SEEDS_FOR_ALL_MOMENTS = 2_000;
