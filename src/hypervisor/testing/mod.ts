export { type GuestAnswer, GuestClient } from '../link/guest-client.ts';
export { answering, type EventOf, of } from './host-events.ts';
export { patience } from './patience.ts';
export { statusOf } from './process-status.ts';
export {
  GUEST_IMAGE,
  type RealHypervisor,
  type RealOptions,
  realHypervisor,
  runDirectoryOf,
  TEST_GUEST_IMAGE,
  usableAccelerators,
} from './real-hypervisor.ts';
export { exitOf, heard, started } from './started.ts';
