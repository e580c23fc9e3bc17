import { resolve } from 'node:path';

/** The variable of the environment that names the folder of the checkout to measure; default: this one. */
export const MEASURED_CHECKOUT = 'SHOAL_BENCH_CHECKOUT';

/** The checkout whose actors are measured. */
export function measuredCheckout(): string {
  return process.env[MEASURED_CHECKOUT] ?? resolve(import.meta.dirname, '../..');
}
