export type { StubFleet } from './stub-fleet.ts';
export { stubFleet } from './stub-fleet.ts';
