import { type FleetAddress, findFleet } from '../app/mod.ts';
import { checkFleetName } from '../transport/mod.ts';
import type { Flags } from './command.ts';

/** The fleet that `--data`, or `--nats` and `--fleet`, name. @throws CONFIG_VALUE for a name that no fleet can have; FLEET_NOT_RUNNING */
export function fleetOf(flags: Flags): FleetAddress {
  return findFleet({ data: flags.text('data'), nats: flags.text('nats'), fleet: fleetNameOf(flags) });
}

/** @throws CONFIG_VALUE for a name that no fleet can have */
export function fleetNameOf(flags: Flags): string | undefined {
  const fleet = flags.text('fleet');
  if (fleet !== undefined) checkFleetName(fleet);
  return fleet;
}
