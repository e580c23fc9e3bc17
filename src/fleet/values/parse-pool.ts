import { isIPv4 } from 'node:net';
import { ShoalError } from '../../errors.ts';
import type { Address } from './address.ts';
import { VMS_MAX } from './limits.ts';

/**
 * Reads `FIRST-LAST:PORT` or `IP:PORT`, such as `127.0.10.1-127.0.10.50:9000`.
 * @returns the addresses, lowest first, `id` from 1 on
 * @throws POOL_INVALID with the text and what it should be
 */
export function parsePool(text: string): readonly Address[] {
  const match = /^([\d.]+)(?:-([\d.]+))?:(\d{1,5})$/.exec(text.trim());
  const [, first = '', last = first, portText = ''] = match ?? [];
  if (match === null || !isIPv4(first) || !isIPv4(last)) throw invalid(text, 'is not FIRST-LAST:PORT');
  const port = Number(portText);
  if (port < 1 || port > 65_535) throw invalid(text, `has port ${port}, which is not from 1 to 65535`);
  const from = toNumber(first);
  const why = whyNoHost(from, toNumber(last));
  if (why !== undefined) throw invalid(text, why);
  const count = toNumber(last) - from + 1;
  if (count < 1) throw invalid(text, `ends before it begins`);
  // A typing error in a range must not become a table of millions.
  if (count > VMS_MAX) throw invalid(text, `has ${count} addresses, at most ${VMS_MAX} are allowed`);
  return Array.from({ length: count }, (_, index) => ({ id: index + 1, ip: toText(from + index), port }));
}

/** Addresses that no program can listen on, or that would mean all of them (RFC 1122, RFC 5771, RFC 6890). */
const FIRST_HOST = toNumber('1.0.0.0');
/** A program can listen on it, and no connection reaches it. */
const LOOPBACK_BROADCAST = toNumber('127.255.255.255');
const FIRST_MULTICAST = toNumber('224.0.0.0');
const FIRST_RESERVED = toNumber('240.0.0.0');

function whyNoHost(from: number, to: number): string | undefined {
  if (from < FIRST_HOST) return `has ${toText(from)}, which is no address of a host`;
  if (from <= LOOPBACK_BROADCAST && to >= LOOPBACK_BROADCAST)
    return `has ${toText(LOOPBACK_BROADCAST)}, which is the broadcast address of the loopback network`;
  if (to >= FIRST_RESERVED) return `has ${toText(to)}, which is reserved or the broadcast address`;
  return to >= FIRST_MULTICAST ? `has ${toText(to)}, which is a multicast address` : undefined;
}

function invalid(text: string, why: string): ShoalError {
  const shown = JSON.stringify(text.slice(0, 100));
  return new ShoalError('POOL_INVALID', `The address pool ${shown} ${why}; write it like 127.0.10.1-127.0.10.50:9000`, {
    details: { pool: text.slice(0, 100) },
  });
}

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(ip: number): string {
  return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.');
}
