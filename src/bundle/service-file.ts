import type { ServiceFacts } from './check-exports.ts';

/**
 * A service as the engine's image reads it from its initial ramdisk: lines of `key value`, an empty line, then the script.
 * `docs/guest-contract.md` does not know it: it is between Shoal and the engine's image of the same version.
 */
export function serviceFile({ operations, idempotent, state, payload }: ServiceFacts, script: string): Buffer {
  const source = Buffer.from(script, 'utf8');
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
