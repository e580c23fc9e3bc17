import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface LatencySummary {
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Latencies from `fromMs` up to, not including, `toMs`. */
export interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** The longest deadline of a request, plus a second. */
const LATENCY_US_MAX = 3_601_000_000;
/** Significant digits that Node's histogram keeps. */
const DIGITS = 3;
/** Bounds of the bars: 1, 2 and 5 of each power of ten, from 0.1 ms on. */
const BOUNDS_MS = [-1, 0, 1, 2, 3, 4, 5, 6].flatMap((exponent) => [1, 2, 5].map((step) => step * 10 ** exponent));

/** Latencies of any number of requests in constant memory, to three significant digits. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: LATENCY_US_MAX, figures: DIGITS });
  readonly #bars: number[] = new Array(BOUNDS_MS.length + 1).fill(0);

  record(ms: number): void {
    this.#histogram.record(Math.min(LATENCY_US_MAX, Math.max(1, Math.round(ms * 1000))));
    const above = BOUNDS_MS.findIndex((boundMs) => ms < boundMs);
    const bar = above === -1 ? BOUNDS_MS.length : above;
    this.#bars[bar] = (this.#bars[bar] ?? 0) + 1;
  }

  get count(): number {
    return this.#histogram.count;
  }

  /** @returns undefined if there are none */
  summary(): LatencySummary | undefined {
    if (this.count === 0) return undefined;
    const { min, mean, max } = this.#histogram;
    return {
      minMs: min / 1000,
      meanMs: mean / 1000,
      p50Ms: this.percentileMs(50),
      p90Ms: this.percentileMs(90),
      p99Ms: this.percentileMs(99),
      p999Ms: this.percentileMs(99.9),
      maxMs: max / 1000,
    };
  }

  percentileMs(percent: number): number {
    return this.#histogram.percentile(percent) / 1000;
  }

  /** The bars from the first to the last that is not empty. */
  bars(): Bar[] {
    const first = this.#bars.findIndex((count) => count > 0);
    const last = this.#bars.findLastIndex((count) => count > 0);
    if (first === -1) return [];
    return this.#bars.slice(first, last + 1).map((count, index) => ({
      fromMs: BOUNDS_MS[first + index - 1] ?? 0,
      toMs: BOUNDS_MS[first + index] ?? LATENCY_US_MAX / 1000,
      count,
    }));
  }
}
