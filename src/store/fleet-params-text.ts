import { ShoalError } from '../errors.ts';
import { type FleetParams, fleetParamsOf, writtenParams } from '../fleet/mod.ts';

/** Ten times what all parameters take. More is not read. */
export const FLEET_PARAMS_BYTES_MAX = 16 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function fleetParamsToBytes(params: FleetParams): Uint8Array {
  return encoder.encode(JSON.stringify(writtenParams(params)));
}

/** @throws PARAMS_DAMAGED for bytes of any other kind */
export function fleetParamsFromBytes(bytes: Uint8Array): FleetParams {
  if (bytes.length > FLEET_PARAMS_BYTES_MAX) throw unreadable(`they have ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw unreadable('they are no JSON in UTF-8', cause);
  }
  return fleetParamsOf(value);
}

function unreadable(why: string, cause?: unknown): ShoalError {
  const message = `The parameters of the fleet cannot be used: ${why}; \`shoal params set\` writes them anew`;
  return new ShoalError('PARAMS_DAMAGED', message, { cause });
}
