import { ShoalError } from '../errors.ts';
import { quote } from './quote.ts';

export const NATS_PORT_DEFAULT = 4222;

/** The parsed address of a NATS server. */
export interface ServerUrl {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** The address without the password, for messages and logs. */
  readonly shown: string;
}

/**
 * Reads `nats://[USER[:PASSWORD]@]HOST[:PORT]`; `tls://` asks for TLS; the default scheme is `nats://`.
 * @throws CONFIG_VALUE; it shows the value without the password
 */
export function parseServerUrl(text: string): ServerUrl {
  const url = parse(text.includes('://') ? text : `nats://${text}`);
  if (url === undefined || url.hostname === '') throw refused(text, 'that is no address');
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') {
    throw refused(text, `the scheme ${quote(url.protocol.slice(0, -1))} is not served`);
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw refused(text, 'nothing may stand after the port');
  }
  if (url.port === '0') throw refused(text, 'port 0 cannot be connected to');
  const tls = url.protocol === 'tls:';
  const port = url.port === '' ? NATS_PORT_DEFAULT : Number(url.port);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    tls,
    user: url.username === '' ? undefined : decode(url.username),
    password: url.password === '' ? undefined : decode(url.password),
    shown: `${tls ? 'tls' : 'nats'}://${url.hostname}:${port}`,
  };
}

/** @throws CONFIG_VALUE for an empty list, an invalid address, or different credentials */
export function parseServerUrls(servers: string | readonly string[]): readonly [ServerUrl, ...ServerUrl[]] {
  const texts = typeof servers === 'string' ? servers.split(',').map((text) => text.trim()) : servers;
  const [first, ...others] = texts.map(parseServerUrl);
  if (first === undefined) throw refused('', 'at least one address is needed');
  for (const other of others) {
    if (other.user !== first.user || other.password !== first.password || other.tls !== first.tls) {
      throw new ShoalError(
        'CONFIG_VALUE',
        `Expected all NATS addresses to have the same scheme and credentials; ${first.shown} and ${other.shown} differ`,
      );
    }
  }
  return [first, ...others];
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** A percent sign that starts no valid escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refused(text: string, why: string): ShoalError {
  const shown = quote(text.replace(/\/\/[^/@]*@/, '//...@'));
  return new ShoalError('CONFIG_VALUE', `Expected a NATS address such as nats://127.0.0.1:4222, got ${shown}: ${why}`);
}
