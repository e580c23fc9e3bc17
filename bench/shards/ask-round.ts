import { lost } from '../actors/arrivals.ts';
import { median } from '../compare.ts';

/** Asks one after the other. @returns the median round trip in microseconds @throws Error for a wrong reply */
export async function askRound(asks: number, ask: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < asks; n++) {
    const startMs = performance.now();
    const reply = await ask(n);
    times.push((performance.now() - startMs) * 1000);
    if (reply !== n) throw lost(asks, n);
  }
  return median(times);
}
