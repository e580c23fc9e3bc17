import { type Load, shapedLoad } from './load.ts';
import type { Chance } from './random.ts';
import type { Scenario } from './scenario.ts';
import { tracedLoad } from './trace.ts';

/** The load of a scenario that begins at that time. */
export function loadFrom(
  startMs: number,
  { load, durationMs }: Pick<Scenario, 'load' | 'durationMs'>,
  chance: Chance,
): Load {
  const made =
    load.kind === 'trace'
      ? tracedLoad(load.rows, load.scale, chance, durationMs)
      : shapedLoad(load, chance, durationMs);
  return {
    next: () => {
      const arrival = made.next();
      return arrival === undefined ? undefined : { ...arrival, atMs: arrival.atMs + startMs };
    },
  };
}
