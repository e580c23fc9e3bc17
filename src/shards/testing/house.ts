import { probe } from '../../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type DeadLetter, type Ref, type SystemOptions } from '../../actors/mod.ts';
import { createShards, moduleBeside, type ShardEvent, type Shards, type ShardsOptions } from '../mod.ts';
import type { behaviours, WorkerArgs, WorkerMessage } from './behaviours.ts';

export type TestBehaviours = typeof behaviours;

/** A system with shards, for tests: `await using it = house();`. */
export interface House extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly shards: Shards<TestBehaviours>;
  readonly news: readonly ShardEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Paths of actors that failed, with codes. */
  readonly failures: readonly string[];
  /** The threads that have loaded the module, in order. */
  readonly loaded: readonly number[];
  /** A worker at the top, unsupervised. */
  worker(name: string, args?: WorkerArgs): Promise<Ref<WorkerMessage>>;
  ask<R>(ref: Ref<WorkerMessage>, toMessage: (replyTo: Ref<R>) => WorkerMessage): Promise<R>;
  /** Resolves when such news has come. */
  heard(isIt: (news: ShardEvent) => boolean): Promise<void>;
}

/** Generous: it only passes when something is wrong. */
const PATIENCE_MS = 60_000;

/** How long a probe waits for a message from another thread. */
export function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
}

export function house(options: Partial<ShardsOptions<TestBehaviours>> = {}, systemOptions: SystemOptions = {}): House {
  process.env['SHOAL_TEST_MISHAPS'] = '1';
  const news: ShardEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const failures: string[] = [];
  const loaded: number[] = [];
  const waiting: (() => void)[] = [];
  const system = createSystem({
    onDeadLetter: (letter) => deadLetters.push(letter),
    onFailure: (path, { code }) => failures.push(`${path} ${code}`),
    ...systemOptions,
  });
  const shards = createShards<TestBehaviours>({
    system,
    count: 2,
    module: moduleBeside(import.meta.url, 'behaviours'),
    options: { loaded: { path: '/loaded', tell: (index: number) => loaded.push(index) > 0 } },
    onEvent: (one) => {
      news.push(one);
      for (const look of waiting.splice(0)) look();
    },
    onFailure: (path, { code }) => failures.push(`shard: ${path} ${code}`),
    ...options,
  });
  return {
    system,
    shards,
    news,
    deadLetters,
    failures,
    loaded,
    worker(name, args = {}) {
      const { start, ...spawn } = shards.actor('worker', args);
      return system.start(start, { ...spawn, name });
    },
    ask: (ref, toMessage) => system.ask(ref, toMessage, PATIENCE_MS),
    async heard(isIt) {
      while (!news.some(isIt)) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      await system.shutdown();
      await shards.stop();
    },
  };
}

export function patientProbe<M>(it: House): ReturnType<typeof probe<M>> {
  return probe<M>(it.system, { patience });
}
