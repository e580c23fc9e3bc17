import { resolve } from 'node:path';
import { ShoalError } from '../errors.ts';
import { findRunning, type RunningFleet, refuseUnseen } from './data-dir.ts';
import { defaultDataDir } from './paths.ts';

export const FLEET_DEFAULT = 'default';

/** The NATS server and the name by which a fleet is reached. */
export interface FleetAddress {
  readonly servers: string;
  readonly fleet: string;
}

export interface WhereToLook {
  readonly data: string | undefined;
  readonly nats: string | undefined;
  readonly fleet: string | undefined;
}

/**
 * Finds a fleet by its NATS server if one is named, else by its data directory.
 * @throws FLEET_NOT_RUNNING naming the place; DATA_DIR_IN_USE if the Shoal there cannot be seen from here; DATA_DIR_UNUSABLE
 */
export function findFleet({ data, nats, fleet }: WhereToLook): FleetAddress {
  if (nats !== undefined) return { servers: nats, fleet: fleet ?? FLEET_DEFAULT };
  const directory = resolve(data ?? defaultDataDir());
  const running = findRunning(directory);
  if (running === undefined) {
    refuseUnseen(directory);
    throw new ShoalError(
      'FLEET_NOT_RUNNING',
      `No Shoal runs on the data directory ${directory}; start one with \`shoal up\`, or name another with --data, or its NATS server with --nats`,
      { details: { directory } },
    );
  }
  refuseOtherFleet(directory, running, fleet);
  return addressOfRunning(running);
}

/** @throws FLEET_NOT_RUNNING if a fleet is named, and the Shoal on that data directory runs another one */
export function refuseOtherFleet(directory: string, running: RunningFleet, fleet: string | undefined): void {
  if (fleet === undefined || fleet === running.fleet) return;
  throw new ShoalError(
    'FLEET_NOT_RUNNING',
    `The Shoal on ${directory} runs the fleet "${running.fleet}", not "${fleet}"; leave --fleet away or name its NATS server with --nats`,
    { details: { directory, fleet, running: running.fleet } },
  );
}

export function addressOfRunning({ nats, login, fleet }: RunningFleet): FleetAddress {
  return { servers: login ?? nats, fleet };
}
