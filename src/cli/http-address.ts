import { isIP } from 'node:net';
import { ShoalError } from '../errors.ts';
import type { HttpAddress } from '../transport/mod.ts';

const PORT_MAX = 65_535;
const FORM = /^(?:(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:[\]]*)):)?(\d{1,5})$/;

/**
 * Reads `[ADDR:]PORT`, an IPv6 address in brackets. Without an address it is 127.0.0.1: who is to be reached from elsewhere says so.
 * @throws CONFIG_VALUE
 */
export function httpAddress(text: string): HttpAddress {
  const [, wide, narrow, digits = ''] = FORM.exec(text) ?? [];
  const host = wide ?? narrow ?? '127.0.0.1';
  const port = Number(digits);
  const isAddress = wide === undefined ? host === 'localhost' || isIP(host) === 4 : isIP(wide) === 6;
  if (digits === '' || port > PORT_MAX || !isAddress) {
    const message = `--http: expected PORT or ADDR:PORT with a port from 0 to ${PORT_MAX}, such as 8080, 0.0.0.0:8080 or [::1]:8080, got ${JSON.stringify(text)}`;
    throw new ShoalError('CONFIG_VALUE', message, { details: { http: text } });
  }
  return { host, port };
}
