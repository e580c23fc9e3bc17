export type { Bar, LatencySummary } from './latencies.ts';
export { Latencies } from './latencies.ts';
export type { Bounds, Pace } from './pace.ts';
export { randomTexts } from './random-texts.ts';
export type { HistogramBar, LoadReport } from './report.ts';
export { reportOf } from './report.ts';
export type { Load, LoadOptions } from './run.ts';
export { startLoad } from './run.ts';
export type { Tally } from './tally.ts';
