import { ShoalError } from '../../errors.ts';
import type { DeployFailure } from '../state/deploy.ts';
import type { Fleet } from '../state/fleet.ts';
import type { Transition } from '../state/transition.ts';
import type { Vm } from '../state/vm.ts';
import { type DeployState, shortDigest } from '../values/deploy.ts';
import type { VmId } from '../values/vm-id.ts';
import type { DeployDecision } from './decision.ts';
import { eventOfHost } from './events.ts';
import { serversOf } from './next-image.ts';
import { NOTHING, type Reaction } from './reaction.ts';

/** A deploy begins. It is durable: a router that was given it at its start knows it already. @throws DEPLOY_RUNNING */
export function beginDeploy(fleet: Fleet, deploy: DeployState): Reaction {
  const running = fleet.deploy?.state;
  if (running?.id === deploy.id) return NOTHING;
  if (running !== undefined) throw deployRunning(running);
  const { image, before, canary, phase } = deploy;
  const first = phase === 'canary' ? `, ${canary === 1 ? '1 canary' : `${canary} canaries`} first` : '';
  const isAgain = image === before;
  // VMs of a third image may be left from a deploy that was cut short.
  const vms = isAgain ? outdatedIn(fleet, image).length : serversOf(fleet).length;
  const text = isAgain
    ? `image ${shortDigest(image)}, which is deployed, is deployed again: VMs of other images: ${vms}`
    : `image ${shortDigest(image)} replaces ${shortDigest(before)} on ${count(vms)}${first}`;
  return {
    transitions: [{ kind: 'deploy-begun', deploy }],
    effects: [eventOfHost('deploy', fleet.host.name, text, { rule: 'command', figures: { vms, canary } })],
  };
}

/** An administrator gives the deploy up. @throws DEPLOY_NONE */
export function rollBack(fleet: Fleet, why: string): Reaction {
  const { deploy } = fleet;
  if (deploy === undefined) throw new ShoalError('DEPLOY_NONE', 'No deploy is under way that could be rolled back');
  if (deploy.state.phase === 'rolling-back') return NOTHING;
  return deployed(fleet, { kind: 'deploy', phase: 'rolling-back', why, figures: {} });
}

export function deployRunning({ image, phase }: DeployState): ShoalError {
  return new ShoalError(
    'DEPLOY_RUNNING',
    `A deploy of image ${shortDigest(image)} is under way (${phase}): wait for its end (\`shoal image status\`), or end it with \`shoal image rollback\``,
    { details: { image, phase } },
  );
}

/** What follows from a decision on a deploy. Each phase may be entered twice after a crash, so none waits for the disk. */
export function deployed(fleet: Fleet, { phase, why, figures }: DeployDecision): Reaction {
  const running = fleet.deploy?.state;
  if (running === undefined || running.phase === phase) return NOTHING;
  const isBack = phase === 'rolling-back' || phase === 'rolled-back';
  const state: DeployState = { ...running, phase, why: phase === 'rolling-back' ? why : running.why };
  const hasEnded = phase === 'deployed' || phase === 'rolled-back';
  const text = {
    rolling: `image ${shortDigest(running.image)} goes on to the other VMs: ${why}`,
    'rolling-back': `image ${shortDigest(running.image)} is rolled back to ${shortDigest(running.before)}: ${why}`,
    deployed: `image ${shortDigest(running.image)} is deployed: ${why}`,
    'rolled-back': `image ${shortDigest(running.before)} is back: ${why}`,
  }[phase];
  const transition: Transition = hasEnded
    ? { kind: 'deploy-ended', image: isBack ? running.before : running.image }
    : { kind: 'deploy-phase', phase, why: state.why };
  return {
    transitions: [transition],
    effects: [
      eventOfHost('deploy', fleet.host.name, text, { rule: 'command', figures }),
      { kind: 'save-deploy', deploy: state },
    ],
  };
}

/** A VM has failed: if it is of the new image of a deploy, that counts against it. */
export function failedInDeploy({ deploy }: Fleet, vm: Vm, why: string): readonly Transition[] {
  if (deploy === undefined || vm.imageDigest !== deploy.state.image) return [];
  return [{ kind: 'deploy-failure', what: failureOf(vm), why: `VM ${vm.id}: ${why}` }];
}

/** VMs that take requests, or will, and are of another image than that. */
export function outdatedIn(fleet: Fleet, image: string): readonly VmId[] {
  return serversOf(fleet)
    .filter((vm) => vm.imageDigest !== image)
    .map(({ id }) => id);
}

function failureOf({ bootMs, readyMs, isAdopted }: Vm): DeployFailure {
  if (readyMs !== undefined) return 'failed';
  // Of an adopted VM it is not known whether it was ready once.
  if (isAdopted) return 'failed';
  return bootMs === undefined ? 'unstarted' : 'never-ready';
}

function count(vms: number): string {
  return vms === 1 ? '1 VM' : `${vms} VMs`;
}
