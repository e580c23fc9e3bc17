import type { Address } from './address.ts';
import type { FleetDecision, Rule } from './decision.ts';
import { type Fleet, type Host, isStarting, type Vm } from './fleet.ts';
import { capacityToCome, isFreeAddress } from './route.ts';

/**
 * What is to be done with the VMs now (R1, R3, R5, R6). Pure; whoever carries the decisions out applies their events, so that
 * the next step sees them.
 * @param nowMs monotonic milliseconds
 */
export function step(fleet: Fleet, nowMs: number): readonly FleetDecision[] {
  const plan = new Plan(fleet, nowMs);
  for (const host of fleet.hosts) {
    restoreMinimum(plan, host);
    scaleUp(plan, host);
    keepSpares(plan, host);
    scaleDown(plan, host);
  }
  endDrained(plan);
  endSilent(plan);
  return plan.decisions;
}

/** The decisions so far, and the addresses that they have used up. */
class Plan {
  readonly fleet: Fleet;
  readonly nowMs: number;
  readonly decisions: FleetDecision[] = [];
  readonly #addresses: Iterator<Address>;
  started = 0;

  constructor(fleet: Fleet, nowMs: number) {
    this.fleet = fleet;
    this.nowMs = nowMs;
    this.#addresses = freeAddresses(fleet, nowMs);
  }

  /** @returns false if there is no address left */
  start(rule: Rule, host: Host, figures: Readonly<Record<string, number>>): boolean {
    const spare = this.#spare(host);
    const address = spare?.address ?? this.#nextAddress();
    if (address === undefined) return false;
    this.started += 1;
    this.decisions.push({ kind: 'start', rule, host: host.name, address, spare: spare?.id, figures });
    return true;
  }

  prepare(host: Host, figures: Readonly<Record<string, number>>): boolean {
    const address = this.#nextAddress();
    if (address === undefined) return false;
    this.decisions.push({ kind: 'prepare', rule: 'R3', host: host.name, address, figures });
    return true;
  }

  #spare(host: Host): Vm | undefined {
    for (const vm of this.fleet.vms) {
      if (vm.host === host.name && vm.spare && vm.state === 'prepared' && !this.#isTaken(vm)) return vm;
    }
    return undefined;
  }

  #isTaken(vm: Vm): boolean {
    return this.decisions.some((decision) => decision.kind === 'start' && decision.spare === vm.id);
  }

  #nextAddress(): Address | undefined {
    const next = this.#addresses.next();
    return next.done === true ? undefined : next.value;
  }
}

function* freeAddresses(fleet: Fleet, nowMs: number): Generator<Address, undefined> {
  for (const entry of fleet.pool) if (isFreeAddress(entry, nowMs)) yield entry.address;
}

/** R1: starting and ready VMs count; draining, stopping and dead ones do not. */
function restoreMinimum(plan: Plan, host: Host): void {
  if (host.notBeforeMs > plan.nowMs) return;
  const { minVmCount } = plan.fleet.params;
  let running = 0;
  for (const vm of plan.fleet.vms) if (vm.host === host.name && (isStarting(vm) || vm.state === 'ready')) running += 1;
  for (; running < minVmCount; running++) {
    if (!plan.start('R1', host, { running, min_vm_count: minVmCount })) return;
  }
}

/** R3: while more requests wait than the VMs now starting will take. */
function scaleUp(plan: Plan, host: Host): void {
  if (host.notBeforeMs > plan.nowMs) return;
  const { fleet } = plan;
  for (;;) {
    const toCome = capacityToCome(fleet) + plan.started * fleet.params.vmRequestsMax;
    if (fleet.waiting <= toCome) return;
    if (!plan.start('R3', host, { waiting: fleet.waiting, capacity_to_come: toCome })) return;
  }
}

/** Spares are made when nobody waits: a request comes before a reserve. */
function keepSpares(plan: Plan, host: Host): void {
  const { spareVmCount } = plan.fleet.params;
  if (plan.fleet.waiting > 0 || plan.started > 0 || host.notBeforeMs > plan.nowMs) return;
  let spares = 0;
  for (const vm of plan.fleet.vms) if (vm.host === host.name && vm.spare) spares += 1;
  for (; spares < spareVmCount; spares++) {
    if (!plan.prepare(host, { spares, spare_vm_count: spareVmCount })) return;
  }
}

/** R5: surplus VMs go, longest idle first, while those that stay ready are at the minimum or more. */
function scaleDown(plan: Plan, host: Host): void {
  const { freeCount, minVmCount } = plan.fleet.params;
  const ready: Vm[] = [];
  for (const vm of plan.fleet.vms) if (vm.host === host.name && vm.state === 'ready') ready.push(vm);
  const surplus = ready
    .filter((vm) => vm.freeCount >= freeCount && vm.inFlight === 0)
    .sort((a, b) => b.freeCount - a.freeCount || b.id - a.id);
  for (const vm of surplus.slice(0, Math.max(0, ready.length - minVmCount))) {
    const figures = { free_count: vm.freeCount, ready: ready.length, min_vm_count: minVmCount };
    plan.decisions.push({ kind: 'drain', rule: 'R5', vm: vm.id, why: 'idle', figures });
  }
}

/** A drained VM has nothing left to finish. */
function endDrained(plan: Plan): void {
  for (const vm of plan.fleet.vms) {
    if (vm.state !== 'draining' || vm.inFlight > 0) continue;
    plan.decisions.push({ kind: 'stop', rule: 'R5', vm: vm.id, why: vm.why ?? 'drained', figures: {} });
  }
}

/** R6: silence counts only while nothing is in flight; a guest may be silent while it computes. */
function endSilent(plan: Plan): void {
  const { lastConnectMs } = plan.fleet.params;
  for (const vm of plan.fleet.vms) {
    if ((vm.state !== 'ready' && vm.state !== 'draining') || vm.heardMs === undefined || vm.inFlight > 0) continue;
    const silentMs = Math.round(plan.nowMs - vm.heardMs);
    if (silentMs < lastConnectMs) continue;
    const figures = { silent_ms: silentMs, last_connect_ms: lastConnectMs };
    plan.decisions.push({ kind: 'stop', rule: 'R6', vm: vm.id, why: `silent for ${silentMs} ms`, figures });
  }
}
