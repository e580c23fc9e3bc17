import { ShoalError } from '../errors.ts';
import { makeParams, type Params } from '../fleet/mod.ts';
import type { ImageProfile } from '../hypervisor/mod.ts';

const { bootTimeoutMs: DEFAULT_MS, ipReserveMs: DEFAULT_RESERVE_MS } = makeParams();
/** By how much a reservation outlasts the boot: as much as with the defaults. */
const MARGIN_MS = DEFAULT_RESERVE_MS - DEFAULT_MS;

/**
 * The parameters with what the image's profile says. `boot_timeout_ms` overrides the profile once it is not at its default. A reservation
 * lasts longer than the boot: at its default, `ip_reserve_ms` follows the profile; at any other value it bounds what the profile says.
 */
export function withProfile(params: Params, { bootTimeoutMs: wantedMs }: ImageProfile): Params {
  if (params.bootTimeoutMs !== DEFAULT_MS || wantedMs === DEFAULT_MS) return params;
  const isFree = params.ipReserveMs === DEFAULT_RESERVE_MS;
  const ipReserveMs = isFree ? Math.max(DEFAULT_RESERVE_MS, wantedMs + MARGIN_MS) : params.ipReserveMs;
  return { ...params, ipReserveMs, bootTimeoutMs: Math.min(wantedMs, ipReserveMs - 1) };
}

/** @throws CONFIG_VALUE if a reservation would end while its VM may still be booting */
export function checkBootTimeout(params: Params, profile: ImageProfile): void {
  const { bootTimeoutMs, ipReserveMs } = withProfile(params, profile);
  const wantedMs = profile.bootTimeoutMs;
  if (params.bootTimeoutMs !== DEFAULT_MS || bootTimeoutMs === wantedMs) return;
  throw new ShoalError(
    'CONFIG_VALUE',
    `The profile's \`bootTimeoutMs\` (${wantedMs}) is not below ip_reserve_ms (${ipReserveMs}): ` +
      `give \`--set ip_reserve_ms=${wantedMs + MARGIN_MS}\`, or lower it in the profile`,
    { details: { bootTimeoutMs: wantedMs, ipReserveMs } },
  );
}
