import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { fromEnvelope, messageOf } from '../../errors.ts';
import { moduleBeside } from '../../shards/mod.ts';
import type { BuildNews, BuildOrder } from './build-messages.ts';
import type { BuiltService } from './build-service.ts';
import { notBuilt } from './not-built.ts';
import { serviceKind } from './service-kind.ts';

/** Builds the image of one service again and again, beside a Shoal that runs. */
export class ServiceBuilder {
  readonly #source: string;
  readonly #say: (line: string) => void;
  #thread: Worker | undefined;
  #folder: string | undefined;
  #inputs = new Map<string, string>();
  /** What this build, and the one before it, have told: who saves again and again is told a remark once. Empty of one that failed. */
  #told = new Set<string>();
  #toldBefore = new Set<string>();
  /** The build that is under way. */
  #job: PromiseWithResolvers<BuiltService> | undefined;

  /** @param source path of a file or a folder @param say gets each line of a build */
  constructor(source: string, say: (line: string) => void) {
    this.#source = source;
    this.#say = say;
  }

  /** What the latest build, also one that failed, was made of: each file and folder, and its signature from before it was read. */
  get inputs(): ReadonlyMap<string, string> {
    return this.#inputs;
  }

  /**
   * One build at a time.
   * @throws what `buildService` throws; SERVICE_BUILD if the thread ends
   */
  async build(): Promise<BuiltService> {
    this.#inputs = new Map();
    this.#toldBefore = this.#told;
    this.#told = new Set();
    await serviceKind(this.#source);
    this.#folder ??= await mkdtemp(join(tmpdir(), 'shoal-service-'));
    const output = join(this.#folder, `${basename(this.#source, extname(this.#source))}.elf`);
    const job = Promise.withResolvers<BuiltService>();
    this.#job = job;
    const order: BuildOrder = { source: this.#source, output };
    this.#thread ??= this.#start();
    this.#thread.postMessage(order);
    return job.promise;
  }

  /** Ends the thread, which costs memory. What was built stays, and the next build starts another thread. */
  async rest(): Promise<void> {
    await this.#thread?.terminate();
  }

  /** Removes what was built, once a Shoal has a copy of it: one that is killed leaves nothing behind. */
  async discard(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.rest();
    await this.discard();
  }

  /** The first signature counts: a file that several others import is told of for each of them, and read once. */
  #addInput(path: string, signature: string): void {
    if (!this.#inputs.has(path)) this.#inputs.set(path, signature);
  }

  #start(): Worker {
    const thread = new Worker(moduleBeside(import.meta.url, 'build-thread'), { env: SHARE_ENV });
    const ended = (why: string): void => {
      if (this.#thread === thread) this.#thread = undefined;
      this.#job?.reject(notBuilt(`the thread that builds ended (${why})`));
    };
    thread.on('error', (error) => ended(messageOf(error)));
    thread.on('exit', (code) => ended(`exit ${code}`));
    thread.on('message', (news: BuildNews) => {
      if (news.kind === 'line') this.#tell(news.line);
      else if (news.kind === 'input') this.#addInput(news.path, news.signature);
      else if (news.kind === 'built') this.#job?.resolve(news.built);
      else {
        this.#told.clear();
        this.#job?.reject(fromEnvelope(news.error));
      }
    });
    return thread;
  }

  #tell(line: string): void {
    this.#told.add(line);
    if (!this.#toldBefore.has(line)) this.#say(line);
  }
}
