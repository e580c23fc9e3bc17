import { makeParams, type Params } from '../fleet/mod.ts';
import type { Tables } from './rows.ts';

/** They are asked for with each request, and a snapshot stays the same until something is written. */
const known = new WeakMap<Tables['system_params'], Params>();

/** The defaults with the rows of `system_params` over them. */
export function paramsOf({ system_params }: Pick<Tables, 'system_params'>): Params {
  const before = known.get(system_params);
  if (before !== undefined) return before;
  const params = makeParams(Object.fromEntries(system_params.map(({ key, value }) => [key, value])));
  known.set(system_params, params);
  return params;
}
