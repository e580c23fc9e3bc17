import { makeParams, type Params } from '../fleet/mod.ts';
import type { Tables } from './rows.ts';

/** The defaults with the rows of `system_params` over them. */
export function paramsOf({ system_params }: Pick<Tables, 'system_params'>): Params {
  return makeParams(Object.fromEntries(system_params.map(({ key, value }) => [key, value])));
}
