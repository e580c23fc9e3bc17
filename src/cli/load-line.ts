import type { Bounds, Load } from '../load/mod.ts';
import { formatMs } from './load-summary.ts';

const REDRAW_MS = 250;

/**
 * One line on the terminal, redrawn while a load runs; nothing where there is no terminal.
 * @returns what takes it away again
 */
export function showLoad(load: Load, bounds: Bounds): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => undefined;
  let before = { atMs: 0, ended: 0 };
  const timer = setInterval(() => {
    const { ok, failed } = load.tally;
    const now = { atMs: load.elapsedMs, ended: ok + failed };
    const perSecond = (1000 * (now.ended - before.ended)) / Math.max(1, now.atMs - before.atMs);
    before = now;
    // Wider than the terminal it would take two lines, and only one of them would be redrawn.
    stderr.write(`\r\u001b[K${lineOf(load, bounds, perSecond).slice(0, (stderr.columns || 80) - 1)}`);
  }, REDRAW_MS);
  return () => {
    clearInterval(timer);
    stderr.write('\r\u001b[K');
  };
}

/** @param perSecond requests that ended since the line before */
export function lineOf({ tally, elapsedMs }: Load, { durationMs, requestsMax }: Bounds, perSecond: number): string {
  const { sent, ok, failed, inFlight, latencies } = tally;
  const latency =
    latencies.count === 0
      ? ''
      : `, p50 ${formatMs(latencies.percentileMs(50))}, p99 ${formatMs(latencies.percentileMs(99))}`;
  // Whichever bound is nearer is how far it has come.
  const isByCount = sent / requestsMax > elapsedMs / durationMs;
  const time = `${(elapsedMs / 1000).toFixed(1)}${isByCount ? '' : ` of ${durationMs / 1000}`} s`;
  return `${isByCount ? `${sent} of ${requestsMax}, ` : ''}${time}: ${ok} ok, ${failed} failed, ${inFlight} in flight, ${perSecond.toFixed(0)}/s${latency}`;
}
