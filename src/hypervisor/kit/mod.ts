export { GuestClient } from '../link/guest-client.ts';
export { PortConnection } from '../qemu/port-connection.ts';
export type { HypervisorPlace, HypervisorPoint } from './conformance/place.ts';
export { HYPERVISOR_POINTS } from './conformance/points.ts';
export { leastKernel } from './least-kernel.ts';
export { lowNiceness, nicenessOf } from './niceness.ts';
export { qmpOf } from './qmp-of.ts';
