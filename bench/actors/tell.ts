import type { ActorLibrary, Target } from '../peers/actors/library.ts';
import { Arrivals } from './arrivals.ts';
import { cpuOfEach } from './cpu-of-each.ts';

/** Messages in flight at a time; with more actors there is one for each. */
const AT_A_TIME = 10_000;

/** Actors in a ring pass messages on, each to the next. @returns nanoseconds of CPU per message */
export function passNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  return aroundNanoseconds(library, actors, Math.min(actors, AT_A_TIME));
}

/** One message goes around a ring of actors. @returns nanoseconds of CPU per hop */
export function ringNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  return aroundNanoseconds(library, actors, 1);
}

async function aroundNanoseconds(library: ActorLibrary, actors: number, inFlight: number): Promise<number> {
  const targets: Target[] = [];
  const arrivals = new Arrivals();
  for (let actor = 0; actor < actors; actor++) {
    const next = (actor + 1) % actors;
    targets.push(
      await library.spawn((hopsLeft) => {
        if (hopsLeft === 0) arrivals.arrive();
        else targets[next]?.tell(hopsLeft - 1);
      }),
    );
  }
  const hops = Math.max(20, Math.floor((20 * AT_A_TIME) / inFlight));
  return cpuOfEach(inFlight * hops, () =>
    arrivals.round(inFlight, () => {
      for (let n = 0; n < inFlight; n++) targets[Math.floor((n * actors) / inFlight)]?.tell(hops - 1);
    }),
  );
}

/** Code outside of actors sends to one actor after the other. @returns nanoseconds of CPU per message */
export async function tellNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  const arrivals = new Arrivals();
  const targets: Target[] = [];
  for (let actor = 0; actor < actors; actor++) targets.push(await library.spawn(arrivals.arrive));
  const batch = Math.max(actors, AT_A_TIME);
  return cpuOfEach(batch, () =>
    arrivals.round(batch, () => {
      for (let n = 0; n < batch; n++) targets[n % actors]?.tell(n);
    }),
  );
}

/** One actor tells all others, and each of them tells another one. @returns nanoseconds of CPU per message */
export async function fanNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  const arrivals = new Arrivals();
  const sink = await library.spawn(arrivals.arrive);
  const leaves: Target[] = [];
  for (let leaf = 0; leaf < actors; leaf++) leaves.push(await library.spawn((n) => void sink.tell(n)));
  const hub = await library.spawn((n) => {
    for (const leaf of leaves) leaf.tell(n);
  });
  return cpuOfEach(2 * actors + 1, () => arrivals.round(actors, () => void hub.tell(1)));
}
