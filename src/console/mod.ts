export type { DashboardOptions } from './dashboard.ts';
export { Dashboard } from './dashboard.ts';
export type { Facts, Hints } from './facts.ts';
export { FleetWatch } from './fleet-watch.ts';
export { inspectLines, logLine } from './inspect-lines.ts';
export { frameText } from './once.ts';
export type { Place } from './wire.ts';
