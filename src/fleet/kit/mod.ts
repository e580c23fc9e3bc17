export { isAtRest } from '../policy/rest.ts';
export { route } from '../policy/route.ts';
export { step } from '../policy/step.ts';
export { Fleet } from '../state/fleet.ts';
export { openRequest } from '../state/open-request.ts';
export type { FakeClient, FakeFleetOptions } from './fake-fleet.ts';
export { FakeFleet } from './fake-fleet.ts';
export type { FakeLink, LinkRequest } from './fake-link.ts';
export { FakeLinks } from './fake-link.ts';
