import { ShoalError } from '../errors.ts';
import { makeParams, type Params } from '../fleet/mod.ts';
import type { ImageProfile } from '../hypervisor/mod.ts';

const DEFAULT_MS = makeParams().bootTimeoutMs;

/**
 * The parameters with what the image's profile says. `boot_timeout_ms` overrides the profile once it is not at its default. A profile that
 * allows more time than a reservation lasts is held below that, since a reservation may have been made shorter meanwhile.
 */
export function withProfile(params: Params, { bootTimeoutMs }: ImageProfile): Params {
  if (params.bootTimeoutMs !== DEFAULT_MS || bootTimeoutMs === DEFAULT_MS) return params;
  return { ...params, bootTimeoutMs: Math.min(bootTimeoutMs, params.ipReserveMs - 1) };
}

/** @throws CONFIG_VALUE if a reservation would end while its VM may still be booting */
export function checkBootTimeout(
  { bootTimeoutMs: ofParams, ipReserveMs }: Params,
  { bootTimeoutMs }: ImageProfile,
): void {
  if (ofParams !== DEFAULT_MS || bootTimeoutMs < ipReserveMs) return;
  const needed = bootTimeoutMs + 5_000;
  throw new ShoalError(
    'CONFIG_VALUE',
    `The profile's \`bootTimeoutMs\` (${bootTimeoutMs}) is not below ip_reserve_ms (${ipReserveMs}): ` +
      `give \`--set ip_reserve_ms=${needed}\`, or lower it in the profile`,
    { details: { bootTimeoutMs, ipReserveMs } },
  );
}
