export { copyMessage } from './copy-message.ts';
export type { ManualClockOptions } from './manual-clock.ts';
export { ManualClock } from './manual-clock.ts';
export type { Match, Probe, ProbeOptions } from './probe.ts';
export { isFailure, probe } from './probe.ts';
export { QuietScheduler } from './quiet-scheduler.ts';
export type { Failure, TestKit, TestKitOptions } from './test-kit.ts';
export { testKit } from './test-kit.ts';
