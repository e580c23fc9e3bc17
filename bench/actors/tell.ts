import type { ActorLibrary, Target } from '../peers/actors/library.ts';

/** Messages in flight at a time; with more actors there is one for each. */
const AT_A_TIME = 10_000;
/** CPU time of each part of a measurement, which also has at least two batches. */
const WARM_UP_CPU_MS = 500;
const MEASURED_CPU_MS = 300;
const BATCHES_MIN = 2;

/** Actors in a ring pass messages on, each to the next. @returns nanoseconds of CPU per message */
export async function passNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  const targets: Target[] = [];
  let arrived = (): void => undefined;
  for (let actor = 0; actor < actors; actor++) {
    const next = (actor + 1) % actors;
    targets.push(
      await library.spawn((hopsLeft) => {
        if (hopsLeft === 0) arrived();
        else targets[next]?.tell(hopsLeft - 1);
      }),
    );
  }
  const inFlight = Math.min(actors, AT_A_TIME);
  const hops = Math.max(20, Math.floor((20 * AT_A_TIME) / inFlight));
  return cpuOfEach(inFlight * hops, async () => {
    await new Promise<void>((resolve) => {
      let left = inFlight;
      arrived = () => {
        left -= 1;
        if (left === 0) resolve();
      };
      for (let n = 0; n < inFlight; n++) targets[Math.floor((n * actors) / inFlight)]?.tell(hops - 1);
    });
  });
}

/** Code outside of actors sends to one actor after the other. @returns nanoseconds of CPU per message */
export async function tellNanoseconds(library: ActorLibrary, actors: number): Promise<number> {
  let handled = 0;
  let target = 0;
  let reached = (): void => undefined;
  const targets: Target[] = [];
  for (let actor = 0; actor < actors; actor++) {
    targets.push(
      await library.spawn(() => {
        handled += 1;
        if (handled === target) reached();
      }),
    );
  }
  const batch = Math.max(actors, AT_A_TIME);
  return cpuOfEach(batch, async () => {
    await new Promise<void>((resolve) => {
      target += batch;
      reached = resolve;
      for (let n = 0; n < batch; n++) targets[n % actors]?.tell(n);
    });
  });
}

async function cpuOfEach(messages: number, runBatch: () => Promise<void>): Promise<number> {
  await batchesFor(WARM_UP_CPU_MS, runBatch);
  const { batches, cpuMs } = await batchesFor(MEASURED_CPU_MS, runBatch);
  return (cpuMs * 1e6) / (batches * messages);
}

async function batchesFor(
  enoughMs: number,
  runBatch: () => Promise<void>,
): Promise<{ batches: number; cpuMs: number }> {
  const start = process.cpuUsage();
  for (let batches = 1; ; batches++) {
    await runBatch();
    const { user, system } = process.cpuUsage(start);
    const cpuMs = (user + system) / 1000;
    if (batches >= BATCHES_MIN && cpuMs >= enoughMs) return { batches, cpuMs };
  }
}
