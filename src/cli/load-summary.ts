import type { HistogramBar, LoadReport } from '../load/mod.ts';

const BAR_CHARS = 40;

/** What `shoal load` prints for a person. */
export function summaryOf(report: LoadReport): string {
  const { requests, ok, failed, cancelled, not_sent, errors, vms, duration_s, requests_per_s, latency_ms } = report;
  const parts = [`${ok} ok`, `${failed} failed`];
  if (cancelled > 0) parts.push(`${cancelled} cancelled`);
  if (not_sent > 0) parts.push(`${not_sent} not sent in time`);
  const lines = [
    `Requests    ${requests} in ${duration_s.toFixed(1)} s: ${parts.join(', ')}`,
    `Rate        ${requests_per_s.toFixed(1)} ok a second, from ${vms} VM${vms === 1 ? '' : 's'}`,
  ];
  if (latency_ms !== null) {
    const { min, mean, max } = latency_ms;
    lines.push(
      `Latency     min ${formatMs(min)}, mean ${formatMs(mean)}, max ${formatMs(max)}`,
      `            p50 ${formatMs(latency_ms.p50)}, p90 ${formatMs(latency_ms.p90)}, p99 ${formatMs(latency_ms.p99)}, p99.9 ${formatMs(latency_ms.p99_9)}`,
      '',
      ...histogramLines(report.histogram),
    );
  }
  const codes = Object.entries(errors);
  if (codes.length > 0)
    lines.push('', 'Errors', ...codes.map(([code, count]) => `  ${String(count).padStart(8)}  ${code}`));
  return `${lines.join('\n')}\n`;
}

function histogramLines(bars: readonly HistogramBar[]): string[] {
  const most = Math.max(...bars.map(({ count }) => count));
  return bars.map(({ from_ms, to_ms, count }) => {
    // A bar with any requests is visible.
    const chars = count === 0 ? 0 : Math.max(1, Math.round((BAR_CHARS * count) / most));
    const range = `${String(from_ms).padStart(8)} - ${String(to_ms).padEnd(6)} ms`;
    return `${range}  ${String(count).padStart(9)}  ${'#'.repeat(chars)}`.trimEnd();
  });
}

/** Three significant digits, as many as the histogram keeps. */
export function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
