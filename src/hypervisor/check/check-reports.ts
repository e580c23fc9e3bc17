import type { CheckContext } from './check-context.ts';
import type { HeardReport } from './heard.ts';
import { whyStill } from './why-still.ts';

/** As many intervals may pass without a report before R6 takes a guest for silent. */
const GAP_INTERVALS_MAX = 3;
/** Of a host that is busy itself. */
const SLACK_MS = 500;
const REPORTS_SEEN = 6;
const FIRST_MS = 1_000;
/** A guest's share of its CPU and its process's are measured by two clocks. */
const CPU_SLACK_PERCENT = 30;

/** Reports come at once, then at the interval, and are numbered. */
export async function checkReports(context: CheckContext): Promise<void> {
  const { list, heard, profile, spec, stepMs, machine, clock, found } = context;
  if (profile.console.format === 'none') {
    for (const name of ['first-report', 'reports'] as const) list.skipped(name, 'its console says nothing');
    return;
  }
  const { statusIntervalMs } = spec;
  const { reports } = heard;
  await heard.until(() => reports.length > 0, Math.max(stepMs, FIRST_MS));
  const [first] = reports;
  if (first === undefined) {
    list.failed('first-report', `no report within ${Math.max(stepMs, FIRST_MS)} ms of ready; ${heard.lastWords}`);
    list.failed('reports', 'no report came');
    return;
  }
  const afterMs = Math.round(first.atMs - heard.readyMs);
  if (afterMs <= FIRST_MS) list.ok('first-report', `${afterMs} ms after ready`);
  else list.failed('first-report', `only ${afterMs} ms after ready; it must come at once`);
  const since = { reports: reports.length, demandMs: machine.cpuDemandMs(), atMs: clock.monotonic() };
  const why = await whyStill(heard, () => whyIrregular(context));
  const usedMs = (machine.cpuDemandMs() ?? Number.POSITIVE_INFINITY) - (since.demandMs ?? 0);
  // The first of them is of the time before.
  found.tooBusy = whyTooBusy(reports.slice(since.reports + 1), (100 * usedMs) / (clock.monotonic() - since.atMs));
  if (why !== undefined) list.failed('reports', why);
  else list.ok('reports', `at most ${longestGapMs(reports)} ms apart, asked for each ${statusIntervalMs} ms`);
}

/** @returns what is wrong with the next reports; undefined if nothing is */
async function whyIrregular({ heard, spec }: CheckContext): Promise<string | undefined> {
  const { reports } = heard;
  const intervalMs = spec.statusIntervalMs;
  // Twice the time that they need.
  const limitMs = 2 * REPORTS_SEEN * intervalMs;
  const before = reports.length;
  await heard.until(() => reports.length >= before + REPORTS_SEEN, limitMs);
  const count = reports.length - before;
  const seqs = reports.map(({ report }) => report.seq);
  const back = seqs.findIndex((seq, at) => at > 0 && seq <= (seqs[at - 1] ?? 0));
  if (back > 0) return `report ${seqs[back]} came after report ${seqs[back - 1]}`;
  if (count < REPORTS_SEEN) return `${count} reports in ${limitMs} ms, told to come each ${intervalMs} ms`;
  const gapMs = longestGapMs(reports.slice(Math.max(0, before - 1)));
  if (gapMs <= GAP_INTERVALS_MAX * intervalMs + SLACK_MS) return undefined;
  return `${gapMs} ms passed between two reports, told to come each ${intervalMs} ms`;
}

function longestGapMs(reports: readonly HeardReport[]): number {
  return Math.round(Math.max(0, ...reports.map(({ atMs }, at) => atMs - (reports[at - 1]?.atMs ?? atMs))));
}

/** A guest cannot have used more of its CPU than its process has. */
function whyTooBusy(reports: readonly HeardReport[], usedPercent: number): string | undefined {
  if (reports.length === 0) return undefined;
  const said = reports.reduce((sum, { report }) => sum + report.cpuPercent, 0) / reports.length;
  if (said <= usedPercent + CPU_SLACK_PERCENT) return undefined;
  return `it reports cpu=${said.toFixed(1)} at rest, and its process used ${usedPercent.toFixed(1)} % of a CPU`;
}

/** At rest nothing is in flight, and what was answered is counted. */
export async function checkLoad({ list, heard, profile, spec, found }: CheckContext): Promise<void> {
  if (profile.console.format === 'none') return list.skipped('load', 'its console says nothing');
  const before = heard.reports.length;
  // The report under way may be of the time before the last answer.
  await heard.until(() => heard.reports.length >= before + 2, 2 * GAP_INTERVALS_MAX * spec.statusIntervalMs + SLACK_MS);
  const last = heard.reports.at(-1);
  if (last === undefined) return list.failed('load', 'no report came');
  const { inFlight, served, cpuPercent, ramBytes } = last.report;
  if (inFlight > 0) return list.failed('load', `it reports inflight=${inFlight}, and nothing is in flight`);
  // Other formats may leave it out.
  if (profile.console.format === 'shoal' && served < found.answered)
    return list.failed('load', `it reports served=${served}, and has answered ${found.answered} requests`);
  if (found.tooBusy !== undefined) return list.failed('load', found.tooBusy);
  list.ok('load', `cpu=${cpuPercent} ram=${ramBytes} inflight=0 served=${served}`);
}
