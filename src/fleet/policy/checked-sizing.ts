import { messageOf } from '../../errors.ts';
import type { Fleet } from '../state/fleet.ts';
import { isServing } from '../state/vm.ts';
import type { Considered } from '../values/considered.ts';
import { SPARE_BOOTED } from '../values/params.ts';
import type { VmId } from '../values/vm-id.ts';
import { capacityToComeOf, firstOf, noFreeVm } from './considered.ts';
import { DEFAULT_SIZING } from './default-sizing.ts';
import type { Plan } from './plan.ts';
import type { IdleVm, Sizing, SizingPolicy, SizingView } from './sizing.ts';

/**
 * Asks the policy what it wants. One that throws, or wants what cannot be, is told of as a fault; the default decides in its place,
 * so that the fleet goes on serving.
 */
export function decideSizing(plan: Plan, policy: SizingPolicy): Sizing {
  const view = viewOf(plan);
  try {
    const { start, drain, spares } = policy.decide(view);
    if (!Number.isSafeInteger(spares) || spares < 0) {
      throw new RangeError(`Expected spares to be a whole number from 0 on, got ${String(spares)}`);
    }
    // What is read of them is read here, where a list that fails does no harm.
    const sizing = { start: listed(start, startable(plan)), drain: listed(drain, plan.fleet.vmCount), spares };
    plan.sizingJudged(policy.name, undefined);
    return sizing;
  } catch (error) {
    plan.sizingJudged(policy.name, messageOf(error));
    return DEFAULT_SIZING.decide(view);
  }
}

/** A policy that starts VMs ahead of requests starts so many in a step at most. */
const AHEAD_MAX = 100;

/** No more VMs can be started than there are spares and free addresses, and none if the host may start none. */
function startable(plan: Plan): number {
  const { fleet, nowMs } = plan;
  if (!plan.mayStart) return plan.spares;
  return plan.spares + Math.min(fleet.freeAddressCount(nowMs), Math.max(AHEAD_MAX, fleet.requests.waiting));
}

/** The first entries of a list. @throws TypeError if it is none, or an entry is no object */
function listed<T>(list: Iterable<T>, most: number): readonly T[] {
  const entries: T[] = [];
  for (const entry of list) {
    if (entries.length >= most) break;
    if (typeof entry !== 'object' || entry === null) throw new TypeError(`an entry is ${String(entry)}`);
    entries.push(entry);
  }
  return entries;
}

/** R3: as many as the policy wants and the host can take. A request never waits for a VM that nobody starts. */
export function scaleUp(plan: Plan, { start }: Sizing): void {
  const { waiting } = plan.fleet.requests;
  for (const figures of start) if (!plan.start('R3', figures, undefined, insteadOf(plan, waiting))) return;
  const isMissing = waiting > 0 && plan.ready + plan.starting === 0;
  if (isMissing) plan.start('R3', { waiting, capacity_to_come: 0 }, undefined, insteadOf(plan, waiting));
}

/** What would serve those that wait without another VM. */
function insteadOf({ fleet, starting }: Plan, waiting: number): readonly Considered[] {
  return [noFreeVm(fleet), capacityToComeOf(starting, fleet.params.vmRequestsMax, waiting)];
}

/** R3: spares are made when nobody waits, for a request comes before a reserve; those beyond the number give their address back. */
export function keepSpares(plan: Plan, { spares }: Sizing): void {
  const { fleet } = plan;
  if (fleet.requests.waiting > 0 || fleet.host.reach !== 'up') return;
  const there = plan.spares;
  for (const vm of [...plan.unusedSpares()].sort((a, b) => a.id - b.id).slice(spares)) {
    const figures = { spares: there, spare_vm_count: spares };
    plan.stop({ rule: 'R3', vm: vm.id, ...SURPLUS, fault: undefined, figures });
  }
  if (fleet.params.spareState === SPARE_BOOTED) bootSpares(plan);
  for (let count = there; count < spares; count++) {
    if (!plan.prepare({ spares: count, spare_vm_count: spares })) return;
  }
}

/** A guest runs only on an address that is durably its own. */
function bootSpares(plan: Plan): void {
  for (const vm of plan.unusedSpares()) {
    if (vm.state === 'prepared' && vm.reserved && vm.booted === 'no') plan.bootSpare(vm);
  }
}

/** R5: as the policy wants, but only surplus VMs, and none while it would take the VMs that serve below the minimum. */
export function scaleDown(plan: Plan, { drain }: Sizing): void {
  const { minVmCount } = plan.fleet.params;
  // Canaries come on top: they are to serve beside as many as before, and not in their place.
  const canaries = canariesOf(plan.fleet);
  let surplus: ReadonlySet<VmId> | undefined;
  let considered: readonly Considered[] = [];
  for (const { vm, figures } of drain) {
    if (plan.serving <= minVmCount + canaries.size) return;
    if (canaries.has(vm)) continue;
    if (surplus === undefined) {
      const idle = surplusOf(plan);
      surplus = new Set(idle.map((one) => one.vm));
      considered = staying(idle, drain, minVmCount);
    }
    if (surplus.has(vm)) plan.drain({ rule: 'R5', vm, ...IDLE, figures, considered });
  }
}

const IDLE = { reason: 'idle', why: 'idle', ejected: false } as const;

const SURPLUS = {
  reason: 'spare-surplus',
  why: 'a spare too many',
  considered: [{ what: 'the other spares', why: 'the oldest stay' }],
} as const;

/** Surplus VMs that stay. */
function staying(surplus: readonly IdleVm[], drain: Sizing['drain'], minVmCount: number): readonly Considered[] {
  const wanted = new Set<VmId>();
  for (const { vm } of drain) wanted.add(vm);
  const whyOf = ({ freeCount }: IdleVm): string =>
    `it stays, with ${freeCount} idle reports: min_vm_count is ${minVmCount}`;
  const none = { what: 'another VM', why: 'no other is surplus' };
  const stay = surplus.filter(({ vm }) => !wanted.has(vm));
  return firstOf(stay, (one) => ({ what: `VM ${one.vm}`, why: whyOf(one) }), none);
}

/** The VMs of the new image while a deploy has its canaries tried; no others. */
function canariesOf({ deploy, vms }: Fleet): ReadonlySet<VmId> {
  if (deploy?.state.phase !== 'canary') return NO_VMS;
  const { image } = deploy.state;
  return new Set([...vms].filter((vm) => isServing(vm) && vm.imageDigest === image).map(({ id }) => id));
}

const NO_VMS: ReadonlySet<VmId> = new Set();

function viewOf(plan: Plan): SizingView {
  return {
    params: plan.fleet.params,
    nowMs: plan.nowMs,
    waiting: plan.fleet.requests.waiting,
    ready: plan.ready,
    serving: plan.serving,
    starting: plan.starting,
    spares: plan.spares,
    surplus: () => surplusOf(plan),
  };
}

/** A VM that took a request since its last report is not idle, whatever that report said. */
function surplusOf(plan: Plan): readonly IdleVm[] {
  return [...plan.fleet.group('surplus')]
    .filter((vm) => vm.inFlight === 0 && !vm.dispatchedSinceReport && !plan.isLeaving(vm.id))
    .map(({ id, freeCount }) => ({ vm: id, freeCount }));
}
