import type { Arrival, Load } from '../load.ts';

/** All that a load has, in its order. */
export function all(load: Load): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let one = load.next(); one !== undefined; one = load.next()) arrivals.push(one);
  return arrivals;
}

export function countBetween(arrivals: readonly Arrival[], fromMs: number, toMs: number): number {
  return arrivals.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length;
}
