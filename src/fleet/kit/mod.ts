export type { FakeClient, FakeFleetOptions } from './fake-fleet.ts';
export { FakeFleet } from './fake-fleet.ts';
export type { FakeLink, LinkRequest } from './fake-link.ts';
export { FakeLinks } from './fake-link.ts';
