export type { HypervisorPlace, HypervisorPoint } from './conformance/place.ts';
export { HYPERVISOR_POINTS } from './conformance/points.ts';
export { qmpOf } from './qmp-of.ts';
