import { median } from '../compare.ts';
import type { ActorLibrary, Ask } from '../peers/actors/library.ts';
import { lost } from './arrivals.ts';
import { cpuOfEach } from './cpu-of-each.ts';

const WARM_UP_ASKS = 20_000;
const ASKS = 10_000;

/** Median time of an ask, one after the other, in microseconds. */
export async function askMicroseconds(library: ActorLibrary): Promise<number> {
  const ask = await askOf(library);
  for (let n = 0; n < WARM_UP_ASKS; n++) await ask(n);
  const times: number[] = [];
  for (let n = 0; n < ASKS; n++) {
    const startMs = performance.now();
    const reply = await ask(n);
    times.push((performance.now() - startMs) * 1000);
    if (reply !== n) throw lost(ASKS, n);
  }
  return median(times);
}

/** So many callers ask one actor, each again as soon as it has its reply. @returns microseconds of CPU per ask */
export async function askInFlightMicroseconds(library: ActorLibrary, inFlight: number): Promise<number> {
  const ask = await askOf(library);
  const nanoseconds = await cpuOfEach(ASKS, async () => {
    let sent = 0;
    let completed = 0;
    const caller = async (): Promise<void> => {
      while (sent < ASKS) {
        const n = sent++;
        if ((await ask(n)) === n) completed += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    if (completed !== ASKS) throw lost(ASKS, completed);
  });
  return nanoseconds / 1000;
}

async function askOf(library: ActorLibrary): Promise<Ask> {
  const ask = await library.echo?.();
  if (ask === undefined) throw new Error('the library has no ask');
  return ask;
}
