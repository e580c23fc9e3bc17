import {
  type Authenticator,
  type ConnectionOptions,
  ErrorCode,
  Events,
  type NatsConnection,
  connect as natsConnect,
} from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { authenticatorOf, type Credentials } from './credentials.ts';
import { type PermissionNotice, PermissionNotices } from './permission-notices.ts';
import { onPermissionViolation } from './permissions.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { readServerInfo } from './server-info.ts';
import { parseServerUrls, type ServerUrl } from './server-url.ts';
import { TIMED_OUT, within } from './within.ts';

/** `lost`: nats.js tries to reconnect, for ever; `closed`: it has given up or was told to. */
export type ConnectionState = 'connected' | 'lost' | 'closed';

export interface ConnectOptions {
  /** One address, several in a list or separated by commas: `nats://HOST:PORT`. */
  readonly servers: string | readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** Instead of user and password, or a token, in the addresses. */
  readonly credentials?: Credentials;
  /** How long connecting may take in all; default 5000. */
  readonly timeoutMs?: number;
  /** Called at each change after the first connection. */
  readonly onState?: (state: ConnectionState) => void;
  /** Called when the server refuses a subject; at most once a minute for subjects of one kind. */
  readonly onForbidden?: (notice: PermissionNotice) => void;
  /** While it says no, a connection that is lost is not made anew: another server may have the address. Default: always. */
  readonly mayReconnect?: () => boolean;
  readonly clock?: Clock;
}

export interface Connection {
  readonly nc: NatsConnection;
  /** The addresses, without passwords. */
  readonly shown: string;
  /** Sends what is waiting to be sent, then closes; takes 2 s at the most. Closing twice does nothing. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A server that answers no ping for two of these counts as lost, although the connection stands. */
const PING_INTERVAL_MS = 5_000;
const PINGS_OUT_MAX = 2;

/**
 * Connects to NATS, and stays connected: a connection that is lost later is made anew, for ever, with back-off.
 * @throws CONFIG_VALUE for an address or credentials that are none; NATS_UNREACHABLE if no server can be spoken to within the time;
 * NATS_UNAUTHORIZED if it does not let us in
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { name, timeoutMs = CONNECT_TIMEOUT_MS, onState, onForbidden, mayReconnect, clock = systemClock } = options;
  const urls = parseServerUrls(options.servers);
  const shown = urls.map((url) => url.shown).join(', ');
  const authenticator = await authenticatorFor(options.credentials, urls);
  await greeted(urls, timeoutMs, clock);
  const delay = new ReconnectDelay(clock, mayReconnect);
  const connecting = natsConnect(natsOptions(urls, name, timeoutMs, delay, authenticator));
  const nc = await within(connecting, timeoutMs, clock).catch((cause: unknown) => {
    throw isRefusal(cause) ? unauthorized(shown, cause) : unreachable(shown, reasonOf(cause), cause);
  });
  if (nc === TIMED_OUT) {
    connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw unreachable(shown, `no connection within ${timeoutMs} ms`);
  }
  const notices = new PermissionNotices(
    clock,
    () => shown,
    (notice) => onForbidden?.(notice),
  );
  onPermissionViolation(nc, (violation) => notices.add(violation));
  void follow(nc, delay, (state) => {
    if (state === 'connected') notices.reset();
    // The server was away for less than it takes to hear of it.
    if (state === 'connected' && mayReconnect?.() === false) void nc.reconnect().catch(() => undefined);
    else onState?.(state);
  });
  return { nc, shown, close: () => close(nc, clock) };
}

/** One word before the @ of an address is a token, two are user and password. */
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

/** Resolves when one of the servers has greeted. */
async function greeted(urls: readonly ServerUrl[], timeoutMs: number, clock: Clock): Promise<void> {
  const greetings = urls.map(async ({ host, port, shown }) => {
    await readServerInfo(host, port, timeoutMs, clock).catch((cause: unknown) => {
      throw unreachable(shown, reasonOf(cause));
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
    servers: urls.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    name,
    timeout: timeoutMs,
    // nats.js would ask DNS past /etc/hosts, which fails for `localhost` where there is no DNS.
    resolve: false,
    maxReconnectAttempts: -1,
    // By default nats.js closes for good once it is refused twice, as it is while a server's users are being changed.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => delay.delayMs(),
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_OUT_MAX,
    // Traces of who asked cost more than the asking.
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
  // Not the end of the loop: nats.js does not end its status events when it closes.
  void nc.closed().then(() => onState('closed'));
  for await (const { type } of nc.status()) {
    // nats.js repeats both, once for each attempt that failed in between.
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
  // `close` alone drops what has not been written yet. A server that is away takes nothing: hence the limit.
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
    `The NATS server at ${shown} does not let us in: ${reasonOf(cause)}. Give the credentials that it knows`,
    { cause, details: { servers: shown } },
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function unreachable(shown: string, why: string, cause?: unknown): ShoalError {
  return new ShoalError(
    'NATS_UNREACHABLE',
    `No NATS server can be spoken to at ${shown}: ${why}. Start one there, or name another with --nats`,
    { cause, details: { servers: shown } },
  );
}
