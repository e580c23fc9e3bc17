import type { Fleet } from '../state/fleet.ts';
import { CONSIDERED_MAX, type Considered } from '../values/considered.ts';

/** The first of them, and how many more there were. @param none what is said if there is none */
export function firstOf<T>(all: readonly T[], of: (one: T) => Considered, none: Considered): readonly Considered[] {
  if (all.length === 0) return [none];
  const first = all.slice(0, CONSIDERED_MAX).map(of);
  const more = all.length - first.length;
  return more > 0 ? [...first, { what: `${more} more`, why: 'likewise' }] : first;
}

/** R2: why no VM takes a request at once. */
export function noFreeVm(fleet: Fleet): Considered {
  const { host, params, freeVm } = fleet;
  const [ready, serving] = [fleet.group('ready').size, fleet.group('serving').size];
  const what = 'a free VM';
  if (host.reach === 'away') return { what, why: `host ${host.name} is out of reach`, rule: 'R6' };
  if (freeVm !== undefined) return { what, why: `VM ${freeVm.id} is free`, rule: 'R2' };
  if (ready === 0) return { what, why: 'no VM is ready', rule: 'R2' };
  const unlinked = ready === serving ? '' : `, and ${ready - serving} that are ready have no link`;
  const why = `each of the ${serving} VMs that take requests has vm_requests_max (${params.vmRequestsMax}) of them${unlinked}`;
  return { what, why, rule: 'R2' };
}

/** R3: what the VMs that start will take. */
export function capacityToComeOf(starting: number, perVm: number, waiting: number): Considered {
  const what = 'a VM that starts';
  if (starting === 0) return { what, why: 'none starts', rule: 'R3' };
  const capacity = starting * perVm;
  const takes = `${starting} VMs start and take ${capacity} requests`;
  return { what, why: `${takes}, and ${waiting} wait`, rule: 'R3' };
}
