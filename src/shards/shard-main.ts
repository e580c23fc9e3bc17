import { expose } from 'comlink';
import { type CancelTimer, msToNext, systemClock } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import type { BehavioursFunction } from './module.ts';
import type { ShardInit } from './shard-event.ts';
import { ShardHost } from './shard-host.ts';

/** The one long task of a worker thread: it runs as long as the shard does. */
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
  try {
    // As for the other end of this port.
    expose(host, init.control as unknown as Parameters<typeof expose>[1]);
    const { behaviours } = await load(init.module);
    // What the module expects is what `createShards` was given, by the module's own type.
    host.open(behaviours(host, host.optionsOf(init) as never));
  } catch (error) {
    // The pool would hand on the text alone.
    host.tell({ kind: 'not-up', error: toEnvelope(error) });
    host.flush();
    throw error;
  }
  await host.over;
  stopBeating();
  host.flush();
}

async function load(module: string): Promise<{ readonly behaviours: BehavioursFunction }> {
  // The main thread names it by the same type.
  return (await import(module)) as { readonly behaviours: BehavioursFunction };
}
