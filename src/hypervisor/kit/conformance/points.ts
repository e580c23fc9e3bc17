import { ADOPTING } from './adopting.ts';
import { ENDING } from './ending.ts';
import { MAKING } from './making.ts';
import type { HypervisorPoint } from './place.ts';
import { TALKING } from './talking.ts';

/** All that an adapter of the port `Hypervisor` promises, as `docs/hypervisors.md` explains it. */
export const HYPERVISOR_POINTS: readonly HypervisorPoint[] = [...MAKING, ...TALKING, ...ENDING, ...ADOPTING];
