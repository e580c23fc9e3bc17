import { ShoalError } from '../errors.ts';
import { quote } from './quote.ts';

/** A token of a NATS subject without wildcards, short enough for tables and file names. */
const FLEET_NAME = /^[A-Za-z0-9_-]{1,32}$/;

/** @throws CONFIG_VALUE if `name` cannot name a fleet */
export function checkFleetName(name: string): string {
  if (FLEET_NAME.test(name)) return name;
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected a fleet name of 1 to 32 letters, digits, "_" or "-", got ${quote(name)}`,
    { details: { fleet: quote(name) } },
  );
}
