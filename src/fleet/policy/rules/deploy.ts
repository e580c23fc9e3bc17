import { type Answers, type Deploy, isOutdated } from '../../state/deploy.ts';
import type { Fleet } from '../../state/fleet.ts';
import { hasOtherMemory, isServing, isStarting, type Vm } from '../../state/vm.ts';
import { CANARY_ANSWERS, shortDigest } from '../../values/deploy.ts';
import type { Figures } from '../../values/rule.ts';
import type { WantedEnd } from '../../values/vm-id.ts';
import type { Plan } from '../plan.ts';
import { isOneLeaving, replace, replacementOf } from './replacement.ts';

/** Of VMs that were ready and then failed: one may be an accident, but not while it is a canary. */
const FAILED_MAX = 2;
/** Of VMs whose CPU was never let run: that is the host's fault as a rule. */
const UNSTARTED_MAX = 3;
/** Fewer errors say nothing. */
const ERRORS_MIN = 5;
/** A share of errors counts as clearly higher above twice the old one, and so much. */
const RATE_FACTOR = 2;
const RATE_MARGIN = 0.05;

/**
 * How a deploy goes on: it is rolled back when the new VMs fail or answer worse than the old ones, goes on to the rest when the canaries have
 * served long enough, and ends when all VMs are of one image.
 */
export function judgeDeploy(plan: Plan): void {
  const { fleet } = plan;
  const { deploy } = fleet;
  if (deploy === undefined || fleet.host.reach !== 'up') return;
  const { phase, image, before } = deploy.state;
  const figures = figuresOf(deploy);
  const why = phase === 'rolling-back' || image === before ? undefined : whyWorse(deploy);
  if (why !== undefined) return plan.deploy({ phase: 'rolling-back', why, figures });
  if (phase === 'canary') {
    const passed = whyPassed(plan, deploy);
    if (passed !== undefined) plan.deploy({ phase: 'rolling', why: passed, figures });
    return;
  }
  const target = phase === 'rolling' ? image : before;
  const running = onlyOf(plan, target);
  if (running === undefined) return;
  const end = phase === 'rolling' ? 'deployed' : 'rolled-back';
  plan.deploy({ phase: end, why: running === 1 ? '1 VM runs it' : `${running} VMs run it`, figures });
}

/** VM by VM, the oldest first: each of the new image is ready before an old one goes, if there is room for it. */
export function replaceOutdated(plan: Plan): void {
  const { fleet } = plan;
  const { deploy, host } = fleet;
  if (host.reach !== 'up') return;
  stopSpares(plan);
  if (deploy === undefined) return;
  const { phase, image, before } = deploy.state;
  if (phase === 'canary') return startCanaries(plan);
  const isBack = phase === 'rolling-back';
  const end = isBack ? rolledBack(before) : deployed(image);
  const target = isBack ? before : image;
  for (const vm of [...fleet.group('starting')]) {
    if (!isOther(vm, target) || plan.isLeaving(vm.id)) continue;
    plan.stop({ rule: 'command', vm: vm.id, ...end, fault: undefined, figures: { ready: plan.ready } });
  }
  const old = outdated(plan, target);
  if (isBack && drainBad(plan, old, end)) return;
  for (const vm of old) if (!replace(plan, vm, end, isBack)) return;
}

function deployed(image: string): WantedEnd {
  return { reason: 'deployed', why: `image ${shortDigest(image)} is deployed` };
}

function rolledBack(before: string): WantedEnd {
  return { reason: 'rolled-back', why: `image ${shortDigest(before)} is put back` };
}

/** Why the new image is to be given up; undefined if it is as good as the old one, as far as is known. */
export function whyWorse({ state, failures, failedWhy, ofNew, ofOld }: Deploy): string | undefined {
  const failedMax = state.phase === 'canary' ? 1 : FAILED_MAX;
  if (failures['never-ready'] > 0) return `a new VM did not become ready (${failedWhy})`;
  if (failures.failed >= failedMax) return `new VMs fail (${failedWhy})`;
  if (failures.unstarted >= UNSTARTED_MAX) return `new VMs cannot be started (${failedWhy})`;
  if (ofNew.errors < ERRORS_MIN || rateOf(ofNew) <= RATE_FACTOR * rateOf(ofOld) + RATE_MARGIN) return undefined;
  return `new VMs answer worse: ${shareOf(ofNew)} of the new ones' answers are errors, and ${shareOf(ofOld)} of the old ones'`;
}

function rateOf({ answers, errors }: Answers): number {
  return answers === 0 ? 0 : errors / answers;
}

function shareOf({ answers, errors }: Answers): string {
  return `${errors} of ${answers}`;
}

function figuresOf({ failures, ofNew, ofOld }: Deploy): Figures {
  return {
    new_answers: ofNew.answers,
    new_errors: ofNew.errors,
    old_answers: ofOld.answers,
    old_errors: ofOld.errors,
    new_failures: failures.unstarted + failures['never-ready'] + failures.failed,
  };
}

/** Why the rest may follow; undefined while the canaries have not served long enough. */
function whyPassed(plan: Plan, { state, ofNew }: Deploy): string | undefined {
  const { wanted } = plan.images;
  const ready = [...plan.fleet.group('ready')].filter((vm) => vm.imageDigest === state.image && !plan.isLeaving(vm.id));
  const count = Math.min(wanted, ready.length);
  if (count < wanted && (count === 0 || mayHaveMore(plan, state.image))) return undefined;
  const since = ready.map(({ readyMs }) => readyMs ?? plan.ruleMs).sort((a, b) => a - b)[count - 1] ?? plan.ruleMs;
  const servedMs = Math.round(plan.ruleMs - since);
  if (servedMs < state.canaryMs && ofNew.answers < CANARY_ANSWERS) return undefined;
  return `${count === 1 ? '1 canary has' : `${count} canaries have`} served for ${servedMs} ms, with ${shareOf(ofNew)} answers an error`;
}

/** Whether another canary is on its way, or an old VM is there that one could stand for. */
function mayHaveMore(plan: Plan, image: string): boolean {
  return plan.starting > 0 || outdated(plan, image).some(({ id }) => replacementOf(id, plan) === undefined);
}

/** How many VMs take requests, if all are of that image, and those that have to be there are; undefined if not. */
function onlyOf({ fleet, ready, starting }: Plan, image: string): number | undefined {
  for (const vm of fleet.vms) if (isOther(vm, image)) return undefined;
  if (ready > 0) return ready;
  const isEmpty = fleet.params.minVmCount === 0 && starting === 0 && fleet.requests.waiting === 0;
  return isEmpty ? 0 : undefined;
}

/** In a deploy a VM whose image is not known is replaced as well. */
function isOther({ imageDigest }: Vm, image: string): boolean {
  return imageDigest !== image;
}

function outdated(plan: Plan, image: string): readonly Vm[] {
  return [...plan.fleet.group('ready')]
    .filter((vm) => isOther(vm, image) && !plan.isLeaving(vm.id))
    .sort((a, b) => a.id - b.id);
}

function stopSpares(plan: Plan): void {
  const { image, deploy, params } = plan.fleet;
  for (const vm of plan.unusedSpares()) {
    // After a change of the image that is no deploy, as by an upgrade, spares of the old one are of no use either.
    if (isOutdated(vm, image) && deploy?.state.phase !== 'canary') {
      plan.stop({ rule: 'command', vm: vm.id, ...OLD_SPARE, fault: undefined, figures: {} });
    } else if (hasOtherMemory(vm, params)) {
      const figures = { memory_mib: vm.memory?.mib ?? 0, vm_memory_bytes: params.vmMemoryBytes };
      plan.stop({ rule: 'R3', vm: vm.id, ...OTHER_MEMORY, fault: undefined, figures });
    }
  }
}

const OLD_SPARE = { reason: 'spare-surplus', why: 'a spare of an image that is no longer started' } as const;
const OTHER_MEMORY = { reason: 'spare-surplus', why: 'a spare with other memory than VMs get now' } as const;

/** Each canary stands for an old VM, which it replaces when the rest follow. Without room for it the oldest goes first. */
function startCanaries(plan: Plan): void {
  const { image } = plan.fleet.deploy?.state ?? {};
  if (image === undefined) return;
  const all = outdated(plan, image);
  // A fleet that was scaled to zero tries the image all the same.
  if (all.length === 0 && plan.starting === 0 && plan.images.missing > 0) {
    const figures = { canaries_missing: plan.images.missing, ready: plan.ready };
    if (!plan.start('command', figures) && plan.isFull) stopOneSpare(plan, figures);
    return;
  }
  for (const old of all) {
    const { missing } = plan.images;
    if (missing === 0) return;
    if (replacementOf(old.id, plan) !== undefined) continue;
    const figures = { canaries_missing: missing, ready: plan.ready };
    if (plan.start('command', figures, old.id)) continue;
    if (isOneLeaving(plan) || !plan.isFull || stopOneSpare(plan, figures) || plan.starting > 0) return;
    plan.drain({ rule: 'command', vm: old.id, ...deployed(image), ejected: false, figures });
    return;
  }
}

/** @returns whether there was one */
function stopOneSpare(plan: Plan, figures: Figures): boolean {
  const [spare] = plan.unusedSpares();
  if (spare === undefined) return false;
  const why = 'its room is needed for a VM of the new image';
  plan.stop({ rule: 'command', vm: spare.id, reason: 'spare-surplus', why, fault: undefined, figures });
  return true;
}

/**
 * While good VMs serve, bad ones go at once, at most half of the fleet at a time.
 * @returns false if none serves: they are replaced one by one then, each when a good one is ready
 */
function drainBad(plan: Plan, bad: readonly Vm[], end: WantedEnd): boolean {
  const { fleet } = plan;
  const good = plan.serving - bad.filter(isServing).length;
  if (good === 0 || bad.length === 0) return bad.length === 0;
  const leaving = fleet.group('draining').size;
  const most = Math.max(1, Math.floor((plan.ready + plan.starting + leaving) / 2));
  const left = Math.max(0, most - leaving - plan.starting);
  for (const vm of bad.slice(0, left)) {
    const figures = { ready: plan.ready, starting: plan.starting, drained_max: most };
    plan.drain({ rule: 'command', vm: vm.id, ...end, ejected: false, figures });
    // The VM that a canary stood for may be there still.
    if (!isReplaced(fleet, plan, vm)) plan.start('command', { ...figures, instead_of: vm.id });
  }
  return true;
}

function isReplaced(fleet: Fleet, plan: Plan, { replaces }: Vm): boolean {
  const before = replaces === undefined ? undefined : fleet.vm(replaces);
  return before !== undefined && !plan.isLeaving(before.id) && (before.state === 'ready' || isStarting(before));
}
