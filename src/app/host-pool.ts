import { networkInterfaces } from 'node:os';
import { ShoalError } from '../errors.ts';
import { type Address, parsePool } from '../fleet/mod.ts';

/** Of an interface of this host: what says which address is its network's broadcast address. */
interface Interface {
  readonly family: string;
  readonly address: string;
  readonly netmask: string;
}

type Interfaces = Readonly<Record<string, readonly Interface[] | undefined>>;

/**
 * Reads a pool for this host: a program can listen on the broadcast address of a network, and no connection reaches it.
 * @throws POOL_INVALID as `parsePool`, and for a broadcast address of one of the host's interfaces
 */
export function parseHostPool(text: string, interfaces: Interfaces = networkInterfaces()): readonly Address[] {
  const pool = parsePool(text);
  const ips = new Set(pool.map(({ ip }) => ip));
  for (const [name, entries = []] of Object.entries(interfaces)) {
    for (const { family, address, netmask } of entries) {
      const ip = family === 'IPv4' ? broadcastOf(address, netmask) : undefined;
      if (ip === undefined || !ips.has(ip)) continue;
      throw new ShoalError(
        'POOL_INVALID',
        `The address pool ${JSON.stringify(text)} has ${ip}, which is the broadcast address of ${name}; leave it out`,
        { details: { pool: text } },
      );
    }
  }
  return pool;
}

/** Networks of one or two addresses have none (RFC 3021). */
const SMALLEST_MASK = 0xff_ff_ff_fc;

/** @returns undefined if the network has none */
function broadcastOf(address: string, netmask: string): string | undefined {
  const mask = bytesOf(netmask);
  if (mask.readUInt32BE() > SMALLEST_MASK) return undefined;
  return [...bytesOf(address)].map((byte, index) => byte | (~(mask[index] ?? 0) & 0xff)).join('.');
}

function bytesOf(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}
