import type { Fleet } from '../state/fleet.ts';
import { isStarting, type Vm } from '../state/vm.ts';

/** Which image the VMs of one plan are made from, and how many canaries there are with those that it starts. */
export class NextImage {
  readonly #fleet: Fleet;
  #canaries: number | undefined;
  #hasFailed = false;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Of a VM that is to take requests: while canaries are missing, the next one is a canary. Undefined: the controller's own. */
  get ofVm(): string | undefined {
    const { deploy, image } = this.#fleet;
    return deploy !== undefined && this.missing > 0 ? deploy.state.image : image;
  }

  /** Of a spare. */
  get ofSpare(): string | undefined {
    return this.#fleet.image;
  }

  /** Canaries still to be started. */
  get missing(): number {
    if (this.#fleet.deploy?.state.phase !== 'canary' || this.#hasFailed) return 0;
    return Math.max(0, this.wanted - this.#count);
  }

  /** How many canaries there are to be: at most as many as there are old VMs, or VMs are to be, and one where there are none. */
  get wanted(): number {
    const { deploy, params } = this.#fleet;
    if (deploy === undefined) return 0;
    const old = serversOf(this.#fleet).filter((vm) => vm.imageDigest !== deploy.state.image).length;
    return Math.min(deploy.state.canary, Math.max(old, params.minVmCount - old, 1));
  }

  /** A VM that takes requests is to be started. */
  started(): void {
    if (this.missing > 0) this.#canaries = this.#count + 1;
  }

  /** A VM leaves. @param isFailing it failed: until that is judged no other of its image is started */
  left(vm: Vm, isFailing: boolean): void {
    const { deploy } = this.#fleet;
    if (deploy === undefined || vm.imageDigest !== deploy.state.image) return;
    if (isFailing) this.#hasFailed = true;
    if (isServer(vm)) this.#canaries = this.#count - 1;
  }

  get #count(): number {
    this.#canaries ??= serversOf(this.#fleet).filter((vm) => vm.imageDigest === this.#fleet.deploy?.state.image).length;
    return this.#canaries;
  }
}

/** Ready VMs, and those on their way to it. */
export function serversOf(fleet: Fleet): readonly Vm[] {
  return [...fleet.vms].filter(isServer);
}

function isServer(vm: Vm): boolean {
  return vm.state === 'ready' || isStarting(vm);
}
