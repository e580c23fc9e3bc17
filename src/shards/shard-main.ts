import { expose } from 'comlink';
import { type CancelTimer, msToNext, systemClock } from '../actors/mod.ts';
import { toEnvelope } from '../errors.ts';
import { factoriesOf } from './load-module.ts';
import { ShardHost } from './shard-host.ts';
import type { ShardInit } from './shard-init.ts';

/**
 * The only task of a worker thread: it runs for the life of the shard. It has a name, as every task of a pool: piscina
 * requires the module, and Node aborts the process if a thread is terminated while it requires a default export.
 */
export async function runShard(init: ShardInit): Promise<void> {
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
    host.open(await factoriesOf(init.module, host, host.optionsOf(init)));
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
