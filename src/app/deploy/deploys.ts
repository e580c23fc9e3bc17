import type { ActorSystem, Clock, Ref } from '../../actors/mod.ts';
import { fromEnvelope, messageOf, ShoalError } from '../../errors.ts';
import {
  type CommandReply,
  type DeployState,
  type FleetEvent,
  isRunning,
  type Params,
  type RouterMessage,
  shortDigest,
} from '../../fleet/mod.ts';
import type { ControllerMessage, ImageProfile, VmParameters } from '../../hypervisor/mod.ts';
import { type ImageDocument, type ImageStore, imagesIn, type StoredDeploy } from '../../store/mod.ts';
import type { Settings } from '../settings.ts';
import { ImageDocumentWriter } from './image-document-writer.ts';
import type { KeptImages } from './kept-images.ts';

/** The parts of a fleet that a deploy concerns. */
export interface DeployedFleet {
  readonly system: ActorSystem;
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
  readonly settings: Pick<Settings, 'setProfile' | 'setImages'>;
}

/** What is to be deployed, and how. */
export interface DeployOrder {
  /** SHA-256 of an image that is kept. */
  readonly image: string;
  readonly canary: number;
  readonly canaryMs: number;
  /** Nothing but the service in it is new, and that was looked at where it was built: it is not booted once beforehand. */
  readonly isChecked?: boolean;
}

export interface DeploysOptions {
  readonly store: ImageStore;
  readonly clock: Clock;
  readonly host: string;
  /** SHA-256 of the image that VMs are started from if nothing was ever deployed. */
  readonly image: string;
  /** How VMs of an image are made, as far as that depends on the image. */
  readonly kept: Pick<KeptImages, 'parametersOf' | 'profileOf' | 'mostMemoryMib' | 'slowestProfile' | 'checkMemory'>;
  /** Boots the image once, on a VM of its own, which the signal ends. @throws why it is unfit */
  readonly check: (digest: string, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: FleetEvent) => void;
}

const ASK_TIMEOUT_MS = 4_000;

/**
 * The deploys of a host, one at a time: what is wanted is durable before a VM of it is started, so that the next Shoal, or the next router,
 * goes on where this one ended.
 */
export class Deploys {
  readonly #options: DeploysOptions;
  readonly #writer: ImageDocumentWriter;
  #state: ImageDocument;
  /** On its way to the disk: whoever comes meanwhile comes too late. */
  #beginning: StoredDeploy | undefined;
  #fleet: DeployedFleet | undefined;
  /** The last check. Its VM may outlast a roll-back for a moment, and the next one takes its place. */
  #checked: Promise<void> = Promise.resolve();
  #ends = new AbortController();
  #isClosed = false;
  /** Those who wait for the end of a deploy. */
  #waiting: ((last: StoredDeploy | null) => void)[] = [];

  constructor(options: DeploysOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.#writer = new ImageDocumentWriter({
      ...{ store, clock },
      latest: () => this.#state,
      onFailure: (error) => this.#tell(messageOf(error), 'write-failed'),
    });
    this.#state = options.store.last ?? { image: options.image, before: null, deploy: null };
  }

  /** SHA-256 of the image that VMs are started from while no deploy runs. */
  get image(): string {
    return this.#state.image;
  }

  /** What is wanted and what was there before, for people and programs. */
  get document(): ImageDocument {
    return this.#state;
  }

  /** The deploy that a router is to carry out. */
  get running(): DeployState | undefined {
    const { deploy } = this.#state;
    if (deploy === null || deploy.ended_ms !== null || deploy.phase === 'checking') return undefined;
    return deploy.phase === 'refused' ? undefined : { ...deploy, phase: deploy.phase };
  }

  /** The images that may be needed. */
  get needed(): readonly string[] {
    return imagesIn(this.#state);
  }

  parametersOf(digest: string): Partial<VmParameters> {
    return this.#options.kept.parametersOf(digest);
  }

  /** The most memory that a VM may take: while a deploy runs there may be VMs of two images. */
  get memoryMib(): number {
    return this.#options.kept.mostMemoryMib(this.#startable);
  }

  /** Tells the controller how much memory a VM may take, which parameters and deploys change. */
  tellMemory(): void {
    const { memoryMib } = this;
    this.#fleet?.controller.tell({ kind: 'set-parameters', parameters: { memoryMib } });
  }

  /** @throws CONFIG_VALUE if VMs would have too little memory with these parameters */
  checkMemory(params: Params): void {
    this.#options.kept.checkMemory(this.#startable, params);
  }

  /** Undefined if nothing is known of the image. */
  profileOf(digest: string): ImageProfile | undefined {
    return this.#options.kept.profileOf(digest);
  }

  /** The router is there. A check that the end of an earlier Shoal cut short is done again. */
  attach(fleet: DeployedFleet): void {
    this.#fleet = fleet;
    fleet.settings.setImages(this);
    const { deploy } = this.#state;
    if (deploy !== null) this.#tellNeeds();
    if (deploy?.phase === 'checking') this.#startCheck(deploy);
  }

  /**
   * Begins a deploy; how it goes on is told by events and `document`.
   * @throws DEPLOY_RUNNING, STORE_WRITE_FAILED
   */
  async deploy({ image, canary, canaryMs, isChecked = false }: DeployOrder): Promise<void> {
    this.checkNoneRuns();
    const { deploy, image: before } = this.#state;
    const id = Math.max(this.#options.clock.now(), (deploy?.id ?? 0) + 1);
    const common = { id, image, before, canaryMs, why: null, ended_ms: null };
    // What runs already was found fit when it came; VMs of another image that are left are replaced.
    const isSame = image === before;
    const next: StoredDeploy = isSame
      ? { ...common, canary: 0, phase: 'rolling' }
      : { ...common, canary, phase: isChecked ? afterCheck(canary) : 'checking' };
    await this.#begin(next);
    if (next.phase === 'checking') this.#startCheck(next);
    else await this.#tellRouter();
  }

  /** Gives up the deploy that runs, or puts back the image before the last. @throws DEPLOY_NONE; DEPLOY_RUNNING while one is only beginning; STORE_WRITE_FAILED */
  async rollBack(): Promise<void> {
    const { deploy, before, image } = this.#state;
    if (this.#beginning !== undefined) throw underWay(this.#beginning);
    if (deploy !== null && deploy.ended_ms === null) {
      if (deploy.phase === 'checking') {
        this.#ends.abort();
        return this.#refuse(deploy, GIVEN_UP);
      }
      return this.#ask((replyTo) => ({ kind: 'roll-back', why: GIVEN_UP, replyTo }));
    }
    if (before === null || before === image || deploy?.phase !== 'deployed') {
      throw new ShoalError('DEPLOY_NONE', 'No deploy is under way, and there is none whose image could be put back');
    }
    const id = Math.max(this.#options.clock.now(), deploy.id + 1);
    const back = { id, image: before, before: image, canary: 0, canaryMs: 0, why: null, ended_ms: null } as const;
    await this.#begin({ ...back, phase: 'rolling' });
    await this.#tellRouter();
  }

  /** The router tells how far it is. It acts on that already: a crash before it is durable repeats a step. */
  progressed(state: DeployState): void {
    const { deploy } = this.#state;
    // What is told again of one that has ended must not keep the next one from its place.
    if (deploy?.id !== state.id || deploy.ended_ms !== null) return;
    const ended_ms = isRunning(state) ? null : this.#options.clock.now();
    const next = { ...this.#state, deploy: { ...state, ended_ms } };
    const isChange = state.phase === 'deployed' && state.image !== this.#state.image;
    this.#state = isChange ? { ...next, image: state.image, before: this.#state.image } : next;
    void this.#writer.keep();
    if (ended_ms !== null) this.#tellNeeds();
    this.#tellEnd();
  }

  /** Ends the VM of a check. The next Shoal checks again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ends.abort();
    await this.#checked;
  }

  /** Resolves when no deploy is under way: with the last one, or null if there never was one. */
  ended(): Promise<StoredDeploy | null> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellEnd();
    });
  }

  /** @throws DEPLOY_RUNNING */
  checkNoneRuns(): void {
    const running = this.#beginning ?? this.#state.deploy;
    if (running !== null && running.ended_ms === null) throw underWay(running);
  }

  async #begin(deploy: StoredDeploy): Promise<void> {
    this.#beginning = deploy;
    try {
      await this.#save({ ...this.#state, deploy });
    } finally {
      this.#beginning = undefined;
      this.#tellEnd();
    }
  }

  #startCheck(deploy: StoredDeploy): void {
    this.#ends = new AbortController();
    const { signal } = this.#ends;
    const checked = this.#checked.then(async () => {
      if (signal.aborted || this.#isClosed) return;
      this.#tell(`image ${shortDigest(deploy.image)} is checked: it is booted once, on a VM of its own`);
      await this.#options.check(deploy.image, signal);
    });
    this.#checked = checked.catch(() => undefined);
    void this.#goOn(deploy, signal, checked);
  }

  async #goOn(deploy: StoredDeploy, signal: AbortSignal, checked: Promise<void>): Promise<void> {
    try {
      await checked;
      if (this.#isClosed || this.#state.deploy?.id !== deploy.id || this.#state.deploy.phase !== 'checking') return;
      await this.#save({ ...this.#state, deploy: { ...deploy, phase: afterCheck(deploy.canary) } });
      // Whoever gave it up meanwhile wrote that after this.
      if (this.running?.id === deploy.id) await this.#tellRouter();
    } catch (error) {
      if (signal.aborted) return;
      const why = messageOf(error);
      const isOpen = this.#state.deploy?.id === deploy.id && this.#state.deploy.phase === 'checking';
      if (isOpen) await this.#refuse(deploy, why);
      // A router that is away is given it at its next start.
      else this.#tell(`image ${shortDigest(deploy.image)}: ${why}`);
    }
  }

  async #refuse(deploy: StoredDeploy, why: string): Promise<void> {
    this.#tell(`image ${shortDigest(deploy.image)} is not deployed: ${why}`);
    const ended_ms = this.#options.clock.now();
    this.#state = { ...this.#state, deploy: { ...deploy, phase: 'refused', why, ended_ms } };
    this.#tellEnd();
    await this.#writer.keep();
  }

  #tellEnd(): void {
    const { deploy } = this.#state;
    if (this.#beginning !== undefined || (deploy !== null && deploy.ended_ms === null)) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(deploy);
  }

  async #tellRouter(): Promise<void> {
    const deploy = this.running;
    this.#tellNeeds();
    if (deploy !== undefined) await this.#ask((replyTo) => ({ kind: 'deploy', deploy, replyTo }));
  }

  /** Tells the fleet how long a VM may take to boot, and how much memory it may take. */
  #tellNeeds(): void {
    this.#fleet?.settings.setProfile(this.#options.kept.slowestProfile(this.#startable));
    this.tellMemory();
  }

  /** The images that VMs may be started from at this moment. */
  get #startable(): readonly string[] {
    const { image, deploy } = this.#state;
    return deploy?.ended_ms === null ? [image, deploy.image, deploy.before] : [image];
  }

  async #ask(toMessage: (replyTo: Ref<CommandReply>) => RouterMessage): Promise<void> {
    if (this.#fleet === undefined) return;
    const { system, router } = this.#fleet;
    const reply = await system.ask<RouterMessage, CommandReply>(router, toMessage, ASK_TIMEOUT_MS);
    if (!reply.ok) throw fromEnvelope(reply.error);
  }

  /** In force only once it is durable. */
  async #save(document: ImageDocument): Promise<void> {
    const before = this.#state;
    await this.#writer.write(document);
    // It may have been given up meanwhile.
    if (this.#state === before) this.#state = document;
  }

  #tell(text: string, kind: FleetEvent['kind'] = 'deploy'): void {
    const { onEvent, clock, host } = this.#options;
    onEvent({ atMs: clock.now(), kind, host, text });
  }
}

function afterCheck(canary: number): 'canary' | 'rolling' {
  return canary === 0 ? 'rolling' : 'canary';
}

const GIVEN_UP = 'an administrator rolls it back';

function underWay({ image, phase }: StoredDeploy): ShoalError {
  return new ShoalError(
    'DEPLOY_RUNNING',
    `A deploy of image ${shortDigest(image)} is under way (${phase}): wait for its end (\`shoal image status\`), or end it with \`shoal image rollback\``,
    { details: { image, phase } },
  );
}
