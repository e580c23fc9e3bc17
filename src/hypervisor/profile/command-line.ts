import type { Address } from '../../fleet/mod.ts';
import { formatAddress } from '../../fleet/mod.ts';
import type { MachineSpec } from '../port.ts';

/** The guest's own view of its network: QEMU's user network is the same behind every VM. */
const GUEST_ADDRESS = '10.0.2.15';
const GUEST_PREFIX_BITS = 24;
const GUEST_NETMASK = '255.255.255.0';
const GUEST_GATEWAY = '10.0.2.2';
const GUEST_BIND = `${GUEST_ADDRESS}/${GUEST_PREFIX_BITS}`;
/** What a guest without a network says in its place. */
const NO_BIND = 'none';

/** What a guest is to say in its ready line that it is bound to. */
export function bindOf({ network }: Pick<MachineSpec, 'network'>): string {
  return network === 'none' ? NO_BIND : GUEST_BIND;
}

/** What a guest is told. */
export interface GuestTerms {
  readonly vm: number;
  readonly address: Address;
  readonly statusIntervalMs: number;
  readonly textBytesMax: number;
}

const PLACEHOLDERS = {
  id: ({ vm }: GuestTerms) => String(vm),
  bind: () => GUEST_BIND,
  ip: () => GUEST_ADDRESS,
  netmask: () => GUEST_NETMASK,
  gw: () => GUEST_GATEWAY,
  port: ({ address }: GuestTerms) => String(address.port),
  addr: ({ address }: GuestTerms) => formatAddress(address),
  statusMs: ({ statusIntervalMs }: GuestTerms) => String(statusIntervalMs),
  max: ({ textBytesMax }: GuestTerms) => String(textBytesMax),
} as const;

export const PLACEHOLDER_NAMES: readonly string[] = Object.keys(PLACEHOLDERS);

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** The guest's command line from the template of its profile. */
export function expandCommandLine(template: string, terms: GuestTerms): string {
  return template.replaceAll(PLACEHOLDER, (whole, name: string) =>
    isPlaceholder(name) ? PLACEHOLDERS[name](terms) : whole,
  );
}

/** How long the guest's command line may become, once each name stands for its longest value. */
export function longestCommandLine(template: string): number {
  return expandCommandLine(template, LONGEST).length;
}

const LONGEST: GuestTerms = {
  vm: Number.MAX_SAFE_INTEGER,
  address: { id: 0, ip: '255.255.255.255', port: 65_535 },
  statusIntervalMs: 9_999_999,
  textBytesMax: 9_999_999,
};

/** The first thing in braces that is no placeholder; undefined if there is none. */
export function unknownPlaceholder(template: string): string | undefined {
  const rest = template.replaceAll(PLACEHOLDER, (whole, name: string) => (isPlaceholder(name) ? '' : whole));
  return /\{[^{}]*\}?|\}/.exec(rest)?.[0];
}

function isPlaceholder(name: string): name is keyof typeof PLACEHOLDERS {
  return Object.hasOwn(PLACEHOLDERS, name);
}
