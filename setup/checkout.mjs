import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The checkout that is being set up.
 *
 * @typedef {object} Checkout
 * @property {string} home its folder
 * @property {string} notes where logs are kept, `.setup/` in it
 * @property {AbortSignal} interrupted aborted when somebody tells the set-up to end
 * @property {string} systemRoot where `usr/sbin` stands: `/`, except in tests, which must not touch the machine's
 */

/**
 * @param {string} home
 * @param {AbortSignal} interrupted
 * @returns {Checkout}
 */
export function openCheckout(home, interrupted) {
  const notes = join(home, '.setup');
  mkdirSync(notes, { recursive: true });
  return { home, notes, interrupted, systemRoot: process.env['SHOAL_SETUP_ROOT'] ?? '/' };
}
