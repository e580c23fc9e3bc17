import type { Failure, Report, SeedsSummary } from '../sim/mod.ts';
import { formatMs } from './load-summary.ts';

/** What `shoal simulate` prints for a person. @param options what the run depends on, line by line */
export function simulationSummaryOf(report: Report, options: readonly string[]): string {
  const { requests, vms, counts, ruleEvents, simulatedMs, events, history } = report;
  const failed = Object.entries(requests.failed);
  const failures = failed.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    ...options.map((option, index) => `${index === 0 ? 'Scenario' : '        '}    ${option}`),
    `Requests    ${requests.sent} in ${(simulatedMs / 1_000).toFixed(1)} simulated seconds: ${requests.ok} ok, ${failures} failed`,
    `Latency     ${quantilesLine(requests.latencyMs)}`,
    `Queued      ${quantilesLine(requests.queuedMs)}`,
    `VMs         ${vms.started} started, ${vms.ready} ready, ${vms.ended} ended, at most ${vms.peak} at a time; ${vms.coldStarts} cold starts`,
    `            ${vms.vmSeconds.toFixed(0)} VM-seconds, memory allocated ${vms.bytesAllocatedOverUsed.toFixed(1)} times what guests used`,
    ...Object.entries(ruleEvents).map(
      ([rule, kinds], index) => `${index === 0 ? 'Events' : '      '}      ${rule}: ${kindsLine(kinds)}`,
    ),
    ...hostLines(report),
    `History     ${events} events, sha256 ${history.slice(0, 16)}`,
  ];
  if (failed.length > 0) lines.push('', 'Errors', ...failed.map(([code, count]) => countLine(count, code)));
  const faults = Object.entries(counts).filter(([name]) => name.startsWith(FAULT));
  if (faults.length > 0) {
    lines.push('', 'Faults', ...faults.map(([name, count]) => countLine(count, name.slice(FAULT.length))));
  }
  const noticed = Object.entries(counts).filter(([name]) => NOTICED.includes(name));
  if (noticed.length > 0) lines.push('', 'Noticed', ...noticed.map(([name, count]) => countLine(count, name)));
  return `${lines.join('\n')}\n`;
}

/** Before the name of a fault in the counts. */
const FAULT = 'fault ';
/** What Shoal met with, because of faults or of a host that fails by itself. */
const NOTICED = ['link-lost', 'write-failed', 'start-failed'];

/** More would hide the rest. */
const HOSTS_SHOWN_MAX = 20;

function hostLines({ hosts }: Report): readonly string[] {
  if (hosts.length === 1) return [];
  const left = hosts.length - HOSTS_SHOWN_MAX;
  const lines = hosts.slice(0, HOSTS_SHOWN_MAX).map(({ host, started, vms, takenIn, worked, workedForOthers }) => {
    const requests = `${takenIn} requests came, its VMs began ${worked}, ${workedForOthers} of them for other hosts`;
    return `${host}: ${requests}; ${started} VMs started, ${vms} at the end`;
  });
  const all = left > 0 ? [...lines, `and ${left} more hosts; \`-o json\` has all`] : lines;
  return all.map((line, index) => `${index === 0 ? 'Hosts' : '     '}       ${line}`);
}

function quantilesLine(quantiles: Report['requests']['latencyMs']): string {
  if (quantiles === null) return 'none, no request was answered';
  const { p50, p95, p99, max } = quantiles;
  return `p50 ${formatMs(p50)}, p95 ${formatMs(p95)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`;
}

function kindsLine(kinds: Readonly<Record<string, number>>): string {
  return Object.entries(kinds)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

/** What `--seeds` came to. */
export interface SeedsResult {
  readonly summary: SeedsSummary;
  /** Moments that no seed reached, and should have. */
  readonly missed: readonly string[];
  /** Whether it was ended before all seeds had run. */
  readonly isInterrupted: boolean;
}

/** Whether all seeds have run, none has failed, and no moment was missed. */
export function isProof({ summary, missed, isInterrupted }: SeedsResult): boolean {
  return summary.failures.length === 0 && missed.length === 0 && !isInterrupted;
}

export function seedsSummaryOf({ summary, missed }: SeedsResult): string {
  const { runs, requests, events, failures, counts, rules } = summary;
  const lines = [
    `Seeds       ${runs} run, ${failures.length} failed: ${requests} requests, ${events} events`,
    '',
    'Reached',
    ...Object.entries({ ...rules, ...counts }).map(([name, count]) => countLine(count, name)),
    ...(missed.length === 0 ? [] : ['', `Never reached: ${missed.join('; ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

export function failuresOf(failures: readonly { readonly seed: number; readonly failure: Failure }[]): string {
  const lines = failures.map(({ seed, failure }) => `  seed ${seed}: ${failure.message.split('\n')[0]}`);
  return ['', 'Failed', ...lines].join('\n');
}

function countLine(count: number, name: string): string {
  return `  ${String(count).padStart(9)}  ${name}`;
}
