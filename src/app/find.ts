import { resolve } from 'node:path';
import { ShoalError } from '../errors.ts';
import { findHolder, findRunning, type RunningFleet, refuseUnseen } from './data-dir.ts';
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
  if (running === undefined) throw notServing(directory);
  refuseOtherFleet(directory, running, fleet);
  return addressOfRunning(running);
}

/** @throws DATA_DIR_IN_USE, DATA_DIR_UNUSABLE as `refuseUnseen` does */
function notServing(directory: string): ShoalError {
  refuseUnseen(directory);
  const holder = findHolder(directory);
  const why =
    holder === undefined
      ? `No Shoal runs on the data directory ${directory}; start one with \`shoal up\`, or name another with --data, or its NATS server with --nats`
      : `The Shoal on ${directory} (pid ${holder.pid}) does not say where it serves: it is just starting or stopping, or its running.json was removed; ` +
        'try again in a moment, or name its NATS server with --nats';
  return new ShoalError('FLEET_NOT_RUNNING', why, {
    details: { directory, ...(holder === undefined ? {} : { pid: holder.pid }) },
  });
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
