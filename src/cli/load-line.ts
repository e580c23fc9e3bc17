import { systemClock } from '../actors/mod.ts';
import type { Bounds, Load } from '../load/mod.ts';
import { formatMs } from './load-summary.ts';
import { canRedraw, columnsOf } from './terminal.ts';

const REDRAW_MS = 250;
const COLUMNS_DEFAULT = 80;

/**
 * Redraws one line on the terminal while a load runs, and prints nothing where there is no terminal.
 * @returns a function that clears the line
 */
export function showLoad(load: Load, bounds: Bounds): () => void {
  const { stderr } = process;
  if (!canRedraw(stderr)) return () => undefined;
  let before = { atMs: 0, ended: 0 };
  const redraw = (): void => {
    cancel = systemClock.timer(REDRAW_MS, redraw);
    // The command may have moved to the background meanwhile.
    if (!canRedraw(stderr)) return;
    const { ok, failed } = load.tally;
    const now = { atMs: load.elapsedMs, ended: ok + failed };
    const perSecond = (1000 * (now.ended - before.ended)) / Math.max(1, now.atMs - before.atMs);
    before = now;
    // A line wider than the terminal would take two, and only one of them would be redrawn.
    stderr.write(`\r\u001b[K${lineOf(load, bounds, perSecond).slice(0, columnsOf(stderr, COLUMNS_DEFAULT) - 1)}`);
  };
  let cancel = systemClock.timer(REDRAW_MS, redraw);
  return () => {
    cancel();
    if (canRedraw(stderr)) stderr.write('\r\u001b[K');
  };
}

/** @param perSecond rate of requests that ended since the previous line */
export function lineOf({ tally, elapsedMs }: Load, { durationMs, requestsMax }: Bounds, perSecond: number): string {
  const { sent, ok, failed, inFlight, latencies } = tally;
  const latency =
    latencies.count === 0
      ? ''
      : `, p50 ${formatMs(latencies.percentileMs(50))}, p99 ${formatMs(latencies.percentileMs(99))}`;
  // The nearer bound shows the progress.
  const isByCount = sent / requestsMax > elapsedMs / durationMs;
  const time = `${(elapsedMs / 1000).toFixed(1)}${isByCount ? '' : ` of ${durationMs / 1000}`} s`;
  return `${isByCount ? `${sent} of ${requestsMax}, ` : ''}${time}: ${ok} ok, ${failed} failed, ${inFlight} in flight, ${perSecond.toFixed(0)}/s${latency}`;
}
