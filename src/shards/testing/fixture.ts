import { probe } from '../../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type DeadLetter, type Ref, type SystemOptions } from '../../actors/mod.ts';
import { createShards, moduleBeside, type ShardEvent, type Shards, type ShardsOptions } from '../mod.ts';
import type { behaviours, WorkerArgs, WorkerMessage } from './behaviours.ts';

export type TestBehaviours = typeof behaviours;

/** A system with shards, for tests: `await using fixture = shardsFixture();`. */
export interface ShardsFixture extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly shards: Shards<TestBehaviours>;
  readonly events: readonly ShardEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Path and code of each actor that failed. */
  readonly failures: readonly string[];
  /** The threads that have loaded the module, in order. */
  readonly loaded: readonly number[];
  /** Starts a worker at the top, unsupervised. */
  worker(name: string, args?: WorkerArgs): Promise<Ref<WorkerMessage>>;
  ask<R>(ref: Ref<WorkerMessage>, toMessage: (replyTo: Ref<R>) => WorkerMessage): Promise<R>;
  /** Resolves when there has been such an event. */
  untilEvent(isSought: (event: ShardEvent) => boolean): Promise<void>;
}

/** Generous: it runs out only when something is wrong. */
const PATIENCE_MS = 60_000;

/** How long a probe waits for a message from another thread. */
export function patience(): Promise<void> {
  // pause: until the message comes; the probe stops waiting then
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
}

export function shardsFixture(
  options: Partial<ShardsOptions<TestBehaviours>> = {},
  systemOptions: SystemOptions = {},
): ShardsFixture {
  process.env['SHOAL_TEST_FAULTS'] = '1';
  const events: ShardEvent[] = [];
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
    onEvent: (event) => {
      events.push(event);
      for (const look of waiting.splice(0)) look();
    },
    onFailure: (path, { code }) => failures.push(`shard: ${path} ${code}`),
    ...options,
  });
  return {
    system,
    shards,
    events,
    deadLetters,
    failures,
    loaded,
    worker(name, args = {}) {
      const { start, ...spawn } = shards.actor('worker', args);
      return system.start(start, { ...spawn, name });
    },
    ask: (ref, toMessage) => system.ask(ref, toMessage, PATIENCE_MS),
    async untilEvent(isSought) {
      while (!events.some(isSought)) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      await system.shutdown();
      await shards.stop();
    },
  };
}

export function patientProbe<M>(fixture: ShardsFixture): ReturnType<typeof probe<M>> {
  return probe<M>(fixture.system, { patience });
}
