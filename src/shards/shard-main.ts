import { expose } from 'comlink';
import { type CancelTimer, msToNext, systemClock } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import type { BehavioursFunction } from './module.ts';
import { ShardHost } from './shard-host.ts';
import type { ShardInit } from './shard-init.ts';

/** The only task of a worker thread: it runs for the life of the shard. */
export default async function runShard(init: ShardInit): Promise<void> {
  const host = new ShardHost(init);
  let stopBeating: CancelTimer = () => undefined;
  const beatLater = (): void => {
    stopBeating = systemClock.timer(msToNext(systemClock.monotonic(), init.beatMs), () => {
      host.beat();
      beatLater();
    });
  };
  beatLater();
  // Whatever ends the thread, short of force: what its actors have said leaves first.
  process.once('exit', () => host.flush());
  try {
    // As for the other end of this port, in `ControlCalls`.
    expose(host, init.control as unknown as Parameters<typeof expose>[1]);
    const { behaviours } = await load(init.module);
    // `createShards` was given these options by the module's own type.
    host.open(behaviours(host, host.optionsOf(init) as never));
  } catch (error) {
    // The pool would pass on only the text of the error.
    host.tell({ kind: 'not-up', error: toEnvelope(error) });
    host.flush();
    throw error;
  }
  await host.over;
  stopBeating();
  host.flush();
}

async function load(module: string): Promise<{ readonly behaviours: BehavioursFunction }> {
  // `createShards` took the address and the module's type together.
  return (await import(module)) as { readonly behaviours: BehavioursFunction };
}
