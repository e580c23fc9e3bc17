import { ShoalError } from '../errors.ts';
import { makeParams, memoryMibOf, type Params } from '../fleet/mod.ts';
import { type ImageInfo, type ImageProfile, leastMemoryMib } from '../hypervisor/mod.ts';

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

const MIB = 1024 * 1024;

/** What each VM of an image of that profile is started with. */
export function memoryMibFor(params: Params, profile: ImageProfile): number {
  return memoryMibOf(params, { usualMib: profile.memoryMib, leastMib: leastMemoryMib(profile) });
}

/** @throws CONFIG_VALUE if VMs would get less memory than the image needs */
export function checkMemory({ vmMemoryBytes }: Params, { path, bytes, companion, profile }: MeasuredImage): void {
  const leastMib = leastMemoryMib(profile);
  const filesMib = Math.ceil((bytes + (companion?.bytes ?? 0)) / MIB);
  const neededMib = Math.max(leastMib, filesMib);
  if (vmMemoryBytes === 0 || vmMemoryBytes >= neededMib * MIB) return;
  const why = neededMib > leastMib ? 'for its files alone' : 'by its profile';
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected vm_memory_bytes to be at least ${neededMib * MIB} (${neededMib} MiB), which the image ${path} needs ${why}, ` +
      `got ${vmMemoryBytes}; raise it, or set it to 0 for what the image usually has (${profile.memoryMib} MiB)`,
    { details: { parameter: 'vm_memory_bytes', value: vmMemoryBytes, leastBytes: neededMib * MIB } },
  );
}

type MeasuredImage = Pick<ImageInfo, 'path' | 'bytes' | 'companion' | 'profile'>;
