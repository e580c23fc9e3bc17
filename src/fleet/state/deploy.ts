import type { DeployState } from '../values/deploy.ts';
import type { Params } from '../values/params.ts';
import { isFree, type Vm } from './vm.ts';
import type { VmGroup } from './vm-index.ts';

/** How the VM of a new image failed. `unstarted`: its CPU was never let run, which may be the host's fault. */
export type DeployFailure = 'unstarted' | 'never-ready' | 'failed';

/** What changes a deploy. */
export type DeployTransition =
  | { readonly kind: 'deploy-begun'; readonly deploy: DeployState }
  | { readonly kind: 'deploy-phase'; readonly phase: 'rolling' | 'rolling-back'; readonly why: string | null }
  | { readonly kind: 'deploy-failure'; readonly what: DeployFailure; readonly why: string }
  /** VMs are started from that image from now on. */
  | { readonly kind: 'deploy-ended'; readonly image: string };

/** Answers of the VMs of one image, since the deploy began or the router started. */
export interface Answers {
  readonly answers: number;
  /** Of these, errors and lost links. */
  readonly errors: number;
}

/** A deploy that runs, and what is known of its VMs. */
export interface Deploy {
  readonly state: DeployState;
  readonly failures: Readonly<Record<DeployFailure, number>>;
  /** How the last of them failed. */
  readonly failedWhy: string | undefined;
  readonly ofNew: Answers;
  readonly ofOld: Answers;
}

/** Whether a VM is known to be of another image than that. */
export function isOutdated({ imageDigest }: Vm, image: string | undefined): boolean {
  return image !== undefined && imageDigest !== undefined && imageDigest !== image;
}

class DeployRecord implements Deploy {
  state: DeployState;
  readonly failures = { unstarted: 0, 'never-ready': 0, failed: 0 };
  failedWhy: string | undefined;
  readonly ofNew = { answers: 0, errors: 0 };
  readonly ofOld = { answers: 0, errors: 0 };
  /** Requests given to VMs in the canary phase, and of these to canaries. */
  dispatched = 0;
  toCanaries = 0;

  constructor(state: DeployState) {
    this.state = state;
  }
}

/** Which image VMs are started from. */
export class Images {
  #image: string | undefined;
  #deploy: DeployRecord | undefined;

  constructor(image: string | undefined, deploy: DeployState | undefined) {
    this.#image = image;
    if (deploy !== undefined) this.#deploy = new DeployRecord(deploy);
  }

  get deploy(): Deploy | undefined {
    return this.#deploy;
  }

  /** The image that the rules start, canaries apart; undefined: whatever the controller has. */
  get inForce(): string | undefined {
    if (this.#deploy === undefined) return this.#image;
    const { phase, image, before } = this.#deploy.state;
    return phase === 'rolling' ? image : before;
  }

  /** @returns false if it does not fit */
  apply(transition: DeployTransition): boolean {
    const deploy = this.#deploy;
    switch (transition.kind) {
      case 'deploy-begun':
        if (deploy !== undefined) return false;
        this.#deploy = new DeployRecord(transition.deploy);
        return true;
      case 'deploy-ended':
        this.#image = transition.image;
        this.#deploy = undefined;
        return true;
      case 'deploy-phase':
        if (deploy === undefined) return false;
        deploy.state = { ...deploy.state, phase: transition.phase, why: transition.why };
        return true;
      case 'deploy-failure':
        if (deploy === undefined) return false;
        deploy.failures[transition.what] += 1;
        deploy.failedWhy = transition.why;
        return true;
    }
  }

  /** A VM has answered, or its link was lost. */
  answered({ imageDigest }: Vm, isError: boolean): void {
    const deploy = this.#deploy;
    if (deploy === undefined) return;
    const answers = imageDigest === deploy.state.image ? deploy.ofNew : deploy.ofOld;
    answers.answers += 1;
    if (isError) answers.errors += 1;
  }

  /** A request was given to a VM. */
  dispatched({ imageDigest }: Vm): void {
    const deploy = this.#deploy;
    if (deploy?.state.phase !== 'canary') return;
    deploy.dispatched += 1;
    if (imageDigest === deploy.state.image) deploy.toCanaries += 1;
  }

  /**
   * In the canary phase canaries get their share of the requests, and no more while others are free: R2 alone would give them all or none.
   * @param best R2's choice
   */
  freeVm(best: Vm | undefined, serving: VmGroup, params: Params): Vm | undefined {
    const deploy = this.#deploy;
    if (deploy?.state.phase !== 'canary' || best === undefined) return best;
    const { image } = deploy.state;
    let canaries = 0;
    let canary: Vm | undefined;
    let other: Vm | undefined;
    for (const vm of serving) {
      const isCanary = vm.imageDigest === image;
      if (isCanary) canaries += 1;
      if (!isFree(vm, params)) continue;
      if (!isCanary) other ??= vm;
      else if (canary === undefined || vm.inFlight < canary.inFlight) canary = vm;
    }
    const isTurn = deploy.toCanaries * serving.size < (deploy.dispatched + 1) * canaries;
    if (isTurn) return canary ?? best;
    return best.imageDigest === image ? (other ?? best) : best;
  }
}
