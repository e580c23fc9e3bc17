import { type FleetAddress, findFleet } from '../app/mod.ts';
import type { Flags } from './command.ts';

/** The fleet that `--data`, or `--nats` and `--fleet`, name. */
export function fleetOf(flags: Flags): FleetAddress {
  return findFleet({ data: flags.text('data'), nats: flags.text('nats'), fleet: flags.text('fleet') });
}
