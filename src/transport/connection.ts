import {
  type Authenticator,
  type ConnectionOptions,
  ErrorCode,
  Events,
  type NatsConnection,
  connect as natsConnect,
} from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { codeOf, messageOf, ShoalError } from '../errors.ts';
import { authority } from './authority.ts';
import { authenticatorOf, type Credentials } from './credentials.ts';
import { type PermissionNotice, PermissionNotices } from './permission-notices.ts';
import { onPermissionViolation } from './permissions.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { resetSocket } from './reset-socket.ts';
import { readServerInfo } from './server-info.ts';
import { parseServerUrls, type ServerUrl } from './server-url.ts';
import { TIMED_OUT, within } from './within.ts';

/** `lost`: nats.js keeps trying to reconnect; `closed`: the connection has ended for good. */
export type ConnectionState = 'connected' | 'lost' | 'closed';

export interface ConnectOptions {
  /** One address, several in a list or separated by commas: `nats://HOST:PORT`. */
  readonly servers: string | readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** Used in place of credentials in the addresses. */
  readonly credentials?: Credentials;
  /** Limit for the whole of connecting; default 5000. */
  readonly timeoutMs?: number;
  /** Called on each change of state after the first connection. */
  readonly onState?: (state: ConnectionState) => void;
  /** Called when the server refuses a subject, at most once a minute for each kind of subject. */
  readonly onForbidden?: (notice: PermissionNotice) => void;
  /** Leaves out what this connection published itself; default false. */
  readonly noEcho?: boolean;
  /** While it says no, a connection that is lost is not made anew: another server may have the address. Default: always. */
  readonly mayReconnect?: () => boolean;
  readonly clock?: Clock;
}

export interface Connection {
  readonly nc: NatsConnection;
  /** The addresses, without passwords. */
  readonly shown: string;
  /** Drops the connection, and makes it anew as after a loss. */
  reconnect(): void;
  /** As `reconnect`, and nothing that has not reached the server yet ever does: the kernel forgets it. */
  reset(): void;
  /** Flushes buffered messages, then closes; takes at most 2 s. A second call does nothing. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A server that misses two pings in a row counts as lost, even if the TCP connection is open. */
const PING_INTERVAL_MS = 5_000;
const PINGS_OUT_MAX = 2;

/**
 * Connects to NATS. A connection that is lost later is re-established with back-off, without a limit.
 * @throws CONFIG_VALUE for an invalid address or invalid credentials; NATS_UNREACHABLE if no server answers in time;
 * NATS_UNAUTHORIZED if the server refuses the credentials
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { name, timeoutMs = CONNECT_TIMEOUT_MS, onState, onForbidden, mayReconnect, clock = systemClock } = options;
  const urls = parseServerUrls(options.servers);
  const shown = urls.map((url) => url.shown).join(', ');
  const authenticator = await authenticatorFor(options.credentials, urls);
  await greeted(urls, timeoutMs, clock);
  const delay = new ReconnectDelay(clock, mayReconnect);
  const connecting = natsConnect({
    ...natsOptions(urls, name, timeoutMs, delay, authenticator),
    ...(options.noEcho === true ? { noEcho: true } : {}),
  });
  const nc = await within(connecting, timeoutMs, clock).catch((cause: unknown) => {
    throw isRefusal(cause) ? unauthorized(shown, cause) : unreachable(shown, messageOf(cause), cause);
  });
  if (nc === TIMED_OUT) {
    connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw unreachable(shown, `no connection within ${timeoutMs} ms`);
  }
  // It rejects if the connection is closed or away already.
  const reconnect = (): void => void nc.reconnect().catch(() => undefined);
  // What cannot be reset may still deliver what is in its buffers.
  const reset = (): void => {
    if (!resetSocket(nc)) reconnect();
  };
  const notices = new PermissionNotices(
    clock,
    () => shown,
    (notice) => onForbidden?.(notice),
  );
  onPermissionViolation(nc, (violation) => notices.add(violation));
  void follow(nc, delay, (state) => {
    if (state === 'connected') notices.reset();
    // The server was away for less than it takes to hear of it.
    if (state === 'connected' && mayReconnect?.() === false) reconnect();
    else onState?.(state);
  });
  return { nc, shown, reconnect, reset, close: () => close(nc, clock) };
}

/** Before the @ of an address, one word is a token; two are user and password. */
function authenticatorFor(
  credentials: Credentials | undefined,
  [{ user, password, shown }]: readonly [ServerUrl, ...ServerUrl[]],
): Promise<Authenticator> | undefined {
  if (credentials === undefined) {
    if (user === undefined) return undefined;
    return authenticatorOf(password === undefined ? { token: user } : { user, password });
  }
  if (user === undefined) return authenticatorOf(credentials);
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected credentials once: the address of ${shown} holds some, and there are others`,
  );
}

/** Resolves once one of the servers has sent its greeting. */
async function greeted(urls: readonly ServerUrl[], timeoutMs: number, clock: Clock): Promise<void> {
  const greetings = urls.map(async ({ host, port, shown }) => {
    await readServerInfo(host, port, timeoutMs, clock).catch((cause: unknown) => {
      throw unreachable(shown, messageOf(cause));
    });
  });
  try {
    await Promise.any(greetings);
  } catch (error) {
    throw error instanceof AggregateError && urls.length > 1 ? allUnreachable(urls, error) : firstOf(error);
  }
}

function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? error.errors[0] : error;
}

function allUnreachable(urls: readonly ServerUrl[], { errors }: AggregateError): ShoalError {
  const shown = urls.map((url) => url.shown).join(', ');
  return new ShoalError('NATS_UNREACHABLE', `None of ${shown} can be reached`, {
    cause: errors[0],
    details: { servers: shown },
  });
}

function natsOptions(
  urls: readonly [ServerUrl, ...ServerUrl[]],
  name: string,
  timeoutMs: number,
  delay: ReconnectDelay,
  authenticator: Authenticator | undefined,
): ConnectionOptions {
  const [{ tls }] = urls;
  return {
    servers: urls.map(authority),
    name,
    timeout: timeoutMs,
    // nats.js would bypass /etc/hosts and ask DNS, which fails for `localhost` on a machine without DNS.
    resolve: false,
    maxReconnectAttempts: -1,
    // By default nats.js gives up after two refusals, which happen while an operator changes the users of a server.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => delay.delayMs(),
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_OUT_MAX,
    // Stack traces of callers cost more than the calls.
    noAsyncTraces: true,
    ...(tls ? { tls: {} } : {}),
    ...(authenticator === undefined ? {} : { authenticator }),
  };
}

async function follow(
  nc: NatsConnection,
  delay: ReconnectDelay,
  onState: (state: ConnectionState) => void,
): Promise<void> {
  let isLost = false;
  // The loop below does not end when the connection closes.
  void nc.closed().then(() => onState('closed'));
  for await (const { type } of nc.status()) {
    // nats.js emits both events once more for each failed attempt in between.
    if (type === Events.Disconnect && !isLost) {
      isLost = true;
      delay.lost();
      onState('lost');
    } else if (type === Events.Reconnect && isLost) {
      isLost = false;
      delay.back();
      onState('connected');
    }
  }
}

async function close(nc: NatsConnection, clock: Clock): Promise<void> {
  if (nc.isClosed()) return;
  // `close` alone would drop unwritten messages. `drain` never ends while the server is away, hence the limit.
  if (!nc.isDraining()) await within(nc.drain(), CLOSE_TIMEOUT_MS / 2, clock).catch(() => undefined);
  await within(nc.close(), CLOSE_TIMEOUT_MS / 2, clock).catch(() => undefined);
}

function isRefusal(cause: unknown): boolean {
  const code = codeOf(cause);
  return code === ErrorCode.AuthorizationViolation || code === ErrorCode.AuthenticationExpired;
}

function unauthorized(shown: string, cause: unknown): ShoalError {
  return new ShoalError(
    'NATS_UNAUTHORIZED',
    `The NATS server at ${shown} does not let us in: ${messageOf(cause)}. Give the credentials that it knows`,
    { cause, details: { servers: shown } },
  );
}

function unreachable(shown: string, why: string, cause?: unknown): ShoalError {
  return new ShoalError(
    'NATS_UNREACHABLE',
    `No NATS server can be spoken to at ${shown}: ${why}. Start one there, or name another with --nats`,
    { cause, details: { servers: shown } },
  );
}
