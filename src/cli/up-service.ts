import { resolve } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import { type BuiltService, ServiceBuilder, ServiceWatch, type Shoal, watchSources } from '../app/mod.ts';
import type { Command, Flag, Flags } from './command.ts';
import { usage } from './parse.ts';

export const SERVICE_FLAGS: readonly Flag[] = [
  {
    name: 'service',
    value: 'FILE',
    about: 'a service to build and run: .ts, .js, .wasm, .cpp, or a folder with .cpp files; instead of --image',
  },
  { name: 'watch', about: 'with --service: deploy it VM by VM whenever one of its files is saved' },
];

/** The service that `shoal up --service` runs. */
export class UpService {
  readonly source: string;
  readonly #builder: ServiceBuilder;
  readonly #built: BuiltService;
  readonly #say: (line: string) => void;
  #watch: ServiceWatch | undefined;

  private constructor(source: string, builder: ServiceBuilder, built: BuiltService, say: (line: string) => void) {
    this.source = source;
    this.#builder = builder;
    this.#built = built;
    this.#say = say;
  }

  /**
   * Builds the service of the flags; undefined if they name none.
   * @throws USAGE for flags that do not fit; what `ServiceBuilder.build` throws
   */
  static async open(command: Command, flags: Flags, say: (line: string) => void): Promise<UpService | undefined> {
    const file = flags.text('service');
    if (file === undefined) {
      if (flags.has('watch')) throw usage(command, '--watch watches the service of --service: name one');
      return undefined;
    }
    for (const other of ['image', 'profile']) {
      if (flags.text(other) !== undefined)
        throw usage(command, `--service builds the image and its profile: leave --${other} out`);
    }
    const source = resolve(file);
    const builder = new ServiceBuilder(source, say);
    try {
      return new UpService(source, builder, await builder.build(), say);
    } catch (error) {
      await builder.close();
      throw error;
    } finally {
      if (!flags.has('watch')) await builder.rest();
    }
  }

  get image(): string {
    return this.#built.image;
  }

  /** A Shoal has started with the image. */
  async started(): Promise<void> {
    await this.#builder.discard();
  }

  /** From now on what is saved is deployed. */
  watch(shoal: Shoal): void {
    const { source } = this;
    this.#watch = new ServiceWatch({
      source,
      build: () => this.#builder.build(),
      inputs: () => this.#builder.inputs,
      deploy: async (image) => {
        try {
          return await shoal.deploy(image);
        } finally {
          await this.#builder.discard();
        }
      },
      watch: (onChange) => watchSources(systemClock, onChange),
      clock: systemClock,
      say: this.#say,
    });
    this.#say(`Watching ${source}: what is saved is deployed`);
  }

  async close(): Promise<void> {
    this.#watch?.close();
    await this.#builder.close();
  }
}
