import { basename } from 'node:path';
import type { Clock } from '../../actors/mod.ts';
import { messageWithCode } from '../../errors.ts';
import { shortDigest } from '../../fleet/mod.ts';
import type { OwnDeploy } from '../deploy/own-deploy.ts';
import type { BuiltService } from './build-service.ts';
import type { Inputs, SourceWatch } from './source-watch.ts';

export interface ServiceWatchOptions {
  /** Path of the service. */
  readonly source: string;
  readonly build: () => Promise<BuiltService>;
  /** What the latest build, also one that failed, was made of: each file and folder, and its signature from before it was read. */
  readonly inputs: () => Inputs;
  /** Resolves when the deploy has ended. */
  readonly deploy: (image: string) => Promise<OwnDeploy>;
  readonly watch: (onChange: () => void) => SourceWatch;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** An editor may save in several steps, and a checkout writes many files. */
const QUIET_MS = 50;
/** A program that writes without a pause must not keep the service from ever being built. */
const ROUNDS_MAX = 40;

/**
 * Deploys a service whenever one of its files is saved. What is saved during a deploy is deployed after it. A service that cannot be built,
 * or whose VMs fail, leaves the one that runs.
 */
export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  readonly #watch: SourceWatch;
  /** At first: the file may have been saved since the start, and what an earlier Shoal has deployed may be older than it. */
  #isChanged = true;
  #isClosed = false;
  #wake: (() => void) | undefined;
  /** What is watched. */
  #inputs: Inputs = new Map();

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
    this.#watch = options.watch(() => {
      this.#isChanged = true;
      this.#wake?.();
    });
    this.#watchOver(options.inputs());
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#untilChanged();
      if (this.#isClosed) return;
      await this.#untilQuiet();
      const built = await this.#build();
      if (this.#isClosed) return;
      if (built === undefined) continue;
      await this.#deploy(built);
    }
  }

  async #untilChanged(): Promise<void> {
    while (!this.#isChanged && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #untilQuiet(): Promise<void> {
    for (let rounds = 0; this.#isChanged && rounds < ROUNDS_MAX; rounds += 1) {
      this.#isChanged = false;
      await new Promise<void>((resolve) => this.#options.clock.timer(QUIET_MS, resolve));
    }
  }

  async #build(): Promise<BuiltService | undefined> {
    try {
      const built = await this.#options.build();
      if (!this.#isClosed) this.#watchOver(this.#options.inputs());
      return built;
    } catch (error) {
      // What it did not come to may be what is mended next.
      if (!this.#isClosed) this.#watchOver(new Map([...this.#inputs, ...this.#options.inputs()]));
      this.#tell(`${messageWithCode(error)}: what ran before goes on`);
      return undefined;
    }
  }

  async #deploy({ image }: BuiltService): Promise<void> {
    const { source, deploy } = this.#options;
    const name = basename(source);
    try {
      const { digest, end, why } = await deploy(image);
      if (end === 'deployed') this.#tell(`${name} is deployed as image ${shortDigest(digest)}`);
      else if (end !== 'same') this.#tell(`${name} is not deployed: ${why ?? end}. What ran before goes on`);
    } catch (error) {
      this.#tell(`${name} is not deployed: ${messageWithCode(error)}`);
    }
  }

  #watchOver(inputs: Inputs): void {
    this.#inputs = inputs;
    this.#watch.update(inputs);
  }

  #tell(line: string): void {
    if (!this.#isClosed) this.#options.say(line);
  }
}
