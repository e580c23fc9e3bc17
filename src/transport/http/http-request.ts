import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { FailureReason } from '../../fleet/mod.ts';
import { isOperationName, OPERATION_NAME_FORM } from '../../operation-name.ts';
import { quote } from '../quote.ts';
import { OP_HEADER, parseRequestHeaders, type RequestHeaders } from '../request-headers.ts';

/** Why a request does not reach the router. */
export interface HttpRefusal {
  /** 403, 404, 405, 413, 415 and 431 of HTTP, or the status of the reason. */
  readonly status: number;
  readonly reason: FailureReason;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is known of a request once its head is there. */
export interface RequestHead {
  readonly method: string;
  /** As in the request line: path and query, or a whole URL. */
  readonly target: string;
  /** How many header fields it has. */
  readonly fields: number;
  readonly headers: IncomingHttpHeaders;
  /** Each header with all of its values. */
  readonly distinct: Readonly<Record<string, readonly string[] | undefined>>;
}

export interface HeadLimits {
  /** Of a body. */
  readonly bytesMax: number;
  /** The server listens on loopback alone, so the name by which it is called must be one of loopback. */
  readonly isLoopback: boolean;
}

/** Where a load balancer asks whether the host serves. */
export const HEALTH_PATH = '/healthz';
/** Of the header fields of a request. */
export const HEAD_FIELDS_MAX = 100;

/**
 * Reads the head of `POST /` or `POST /OPERATION`.
 * @returns the same headers as a request over NATS has, or why it is refused
 */
export function readHead(head: RequestHead, limits: HeadLimits): RequestHeaders | HttpRefusal {
  if (head.fields > HEAD_FIELDS_MAX) {
    const message = `a request has ${HEAD_FIELDS_MAX} header fields at most, and this one has more`;
    return { status: 431, reason: 'bad-request', message };
  }
  const hosts = head.distinct['host'] ?? [];
  if (hosts.length > 1) {
    const message = `Host: expected one value, got ${hosts.length}: ${hosts.slice(0, 2).map(quote).join(' and ')}`;
    return { status: 400, reason: 'bad-request', message };
  }
  const stranger = strangerIn(head, limits.isLoopback);
  if (stranger !== undefined) return { status: 403, reason: 'bad-request', message: stranger };
  const path = pathOf(head.target);
  const isHealth = path === HEALTH_PATH;
  if (head.method !== 'POST') {
    const allow = isHealth ? 'GET, HEAD' : 'POST';
    const message = `expected ${allow} for ${quote(path)}, got ${quote(head.method)}`;
    return { status: 405, reason: 'bad-request', message, headers: { Allow: allow } };
  }
  if (isHealth) {
    const message = `expected GET or HEAD for ${HEALTH_PATH}, got "POST"`;
    return { status: 405, reason: 'bad-request', message, headers: { Allow: 'GET, HEAD' } };
  }
  const op = path.slice(1);
  if (op !== '' && !isOperationName(op)) {
    const message = `expected POST / or POST /OPERATION with ${OPERATION_NAME_FORM}, got ${quote(path)}`;
    return { status: 404, reason: 'operation-unknown', message };
  }
  const encoding = head.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const message = `Content-Encoding: expected the text as it is, got ${quote(encoding)}`;
    return { status: 415, reason: 'bad-request', message, headers: { 'Accept-Encoding': 'identity' } };
  }
  // Node undoes the last coding alone, and would take what is below it for the text.
  const coding = head.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    const message = `Transfer-Encoding: expected chunked, or the text as it is, got ${quote(coding)}`;
    return { status: 415, reason: 'bad-request', message };
  }
  const bytes = Number(head.headers['content-length'] ?? 0);
  if (bytes > limits.bytesMax) return tooLarge(limits.bytesMax, bytes);
  const headers = parseRequestHeaders(shoalHeaders(head.distinct));
  if (typeof headers === 'string') return { status: 400, reason: 'bad-request', message: headers };
  if (op !== '' && headers.op !== '' && headers.op !== op) {
    const message = `${OP_HEADER}: expected ${quote(op)} as in the path, or no such header, got ${quote(headers.op)}`;
    return { status: 400, reason: 'bad-request', message };
  }
  return op === '' ? headers : { ...headers, op };
}

/** @param bytes of the body, if it has said so; a chunked one has not */
export function tooLarge(bytesMax: number, bytes?: number): HttpRefusal {
  const has = bytes === undefined ? 'is longer' : `has ${bytes}`;
  return { status: 413, reason: 'too-large', message: `a text has ${bytesMax} bytes at most, and this one ${has}` };
}

/** @param target a path, or a whole URL as a client sends it that takes the server for a proxy */
export function pathOf(target: string): string {
  const path = ABSOLUTE.exec(target)?.[2] ?? target;
  const end = path.search(/[?#]/);
  return (end < 0 ? path : path.slice(0, end)) || '/';
}

/** Of an absolute URL: whom it calls, and the rest. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * A web page may send texts to any address without asking, and a name of its own may lead to 127.0.0.1. Programs that are no browsers send no
 * `Origin`, and call a server on loopback by an address or as localhost.
 */
function strangerIn({ target, headers }: RequestHead, isLoopback: boolean): string | undefined {
  // A whole URL counts, and not what `Host` says beside it (RFC 9112, 3.2.2).
  const host = (ABSOLUTE.exec(target)?.[1] ?? headers.host ?? '').toLowerCase();
  const { origin } = headers;
  if (isLoopback && host !== '' && !isLocalName(hostnameOf(host))) {
    return `Host: expected an address or localhost on a server of loopback, got ${quote(host)}`;
  }
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return undefined;
  return `Origin: web pages of other origins are not served, got ${quote(origin)}`;
}

function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
}

function isLocalName(name: string): boolean {
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

function* shoalHeaders(
  distinct: Readonly<Record<string, readonly string[] | undefined>>,
): Iterable<readonly [string, readonly string[]]> {
  for (const [name, values] of Object.entries(distinct)) {
    if (values !== undefined && (name.startsWith('shoal-') || name === 'content-type')) yield [name, values];
  }
}
