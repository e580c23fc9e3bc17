import { median } from '../compare.ts';
import type { ActorLibrary } from '../peers/actors/library.ts';

const WARM_UP_ASKS = 20_000;
const ASKS = 10_000;

/** Median time of an ask, one after the other, in microseconds. */
export async function askMicroseconds(library: ActorLibrary): Promise<number> {
  const ask = await library.echo?.();
  if (ask === undefined) return Number.NaN;
  for (let n = 0; n < WARM_UP_ASKS; n++) await ask(n);
  const times: number[] = [];
  for (let n = 0; n < ASKS; n++) {
    const startMs = performance.now();
    await ask(n);
    times.push((performance.now() - startMs) * 1000);
  }
  return median(times);
}
