import type { ActorLibrary, Target } from '../peers/actors/library.ts';

/** Mean time to spawn that many actors, in microseconds per actor. */
export async function spawnMicroseconds(library: ActorLibrary, actors: number): Promise<number> {
  const targets: Target[] = [];
  const startMs = performance.now();
  for (let actor = 0; actor < actors; actor++) targets.push(await library.spawn(() => undefined));
  return ((performance.now() - startMs) * 1000) / actors;
}

/** The heap that an actor takes once it has handled a message, in bytes. Needs `--expose-gc`. */
export async function bytesAnActor(library: ActorLibrary, actors: number): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('the heap is measured with --expose-gc only');
  const targets: Target[] = new Array(actors);
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  let handled = 0;
  const receive = (): void => {
    handled += 1;
  };
  for (let actor = 0; actor < actors; actor++) targets[actor] = await library.spawn(receive);
  for (const target of targets) target.tell(1);
  // pause: until all actors have handled their message
  while (handled < actors) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc();
  return (process.memoryUsage().heapUsed - before) / actors;
}
