import type { Bundle } from './bundle.ts';
import type { ServiceFacts } from './check-exports.ts';
import { placesOf } from './places.ts';

/**
 * A service as the engine's image reads it from its initial ramdisk: lines of `key value`, an empty line, then the script.
 * `docs/guest-contract.md` does not know it: it is between Shoal and the engine's image of the same version.
 */
export function serviceFile({ operations, idempotent, state, payload }: ServiceFacts, bundle: Bundle): Buffer {
  // The prelude takes it away before the first request.
  const places = `globalThis.${PLACES_NAME} = ${JSON.stringify(placesOf(bundle, 1))};\n`;
  const source = Buffer.from(`${places}${bundle.script}`, 'utf8');
  const lines = [
    `shoal-service ${FORMAT}`,
    `operations ${operations.join(',')}`,
    `idempotent ${idempotent ? 1 : 0}`,
    `state ${state}`,
    `payload ${payload}`,
    `source ${source.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`), source]);
}

const FORMAT = 1;
const PLACES_NAME = 'shoalPlaces';
