import { type Clock, randomHex, systemClock, systemRandom } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import {
  type Connection,
  type ConnectionState,
  type Credentials,
  connect as connectNats,
  createRequester,
  type Requester,
} from '../transport/mod.ts';
import { CONCURRENCY_DEFAULT, checkLines, type LineOutcome, type Lines, sendLines } from './lines.ts';
import { OpenCount } from './open-count.ts';
import type { ClientBytesReply, ClientReply } from './reply.ts';
import { sendUntilEnded } from './resending.ts';
import { checkBytes, encodeText } from './text.ts';

export interface ClientOptions {
  /** Default `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[];
  /** Default `default`. */
  readonly fleet?: string;
  /** Default: those in the addresses, or none. */
  readonly credentials?: Credentials;
  /** Shown in the NATS server's list of connections; default `shoal-client`. */
  readonly name?: string;
  /** For requests that name no deadline; default 30000. */
  readonly deadlineMs?: number;
  /** How long connecting may take; default 5000. */
  readonly connectTimeoutMs?: number;
  /** Called when the connection is lost, made anew (by itself, for ever) or closed. */
  readonly onState?: (state: ConnectionState) => void;
}

export interface ClientRequestOptions {
  /** `upper`, `lower`, `count` and so on, as the image offers; default: the image's own default. */
  readonly op?: string;
  /** Milliseconds from now, 1 to 3600000. */
  readonly deadlineMs?: number;
  /** A repeat with the same id joins the first. */
  readonly id?: string;
  /** It was sent before under this `id`, by another call or program: a host that does not know the id asks the others. Default false. */
  readonly isRepeat?: boolean;
  /** Whether it may be tried once more on another VM; default true. */
  readonly retry?: boolean;
  /** What is sent, as of the header `Content-Type`; an image that takes text alone is not told. Default: nothing is said. */
  readonly contentType?: string;
  /** Ends the wait with REQUEST_CANCELLED. The work goes on, at most until the deadline: the fleet is not told. */
  readonly signal?: AbortSignal;
}

export interface ClientLinesOptions extends Omit<ClientRequestOptions, 'id' | 'isRepeat'> {
  /** Lines in flight, or answered and not yet taken, at a time; 1 to 1024, default 64. */
  readonly concurrency?: number;
}

export interface CloseOptions {
  /** How long requests in flight may take to end; default 0. */
  readonly waitMs?: number;
}

export interface Client extends AsyncDisposable {
  /** Requests that have not ended. */
  readonly inFlight: number;
  /** What the NATS server takes in a message, with its headers: a text has a little less room. */
  readonly textBytesMax: number;
  /**
   * Sends text to the fleet and resolves with the processed text. Until its deadline the request is sent again, under the same id, if no reply
   * comes. The fleet joins repeats, so the caller does not notice a Shoal that dies and comes back.
   * @throws a ShoalError whose code begins with REQUEST_; NATS_UNREACHABLE if the connection is closed
   */
  request(text: string, options?: ClientRequestOptions): Promise<ClientReply>;
  /**
   * Sends any bytes, and resolves with those of the reply and their content type, as `request` does text. For an image whose profile says
   * `payload=bytes`; one that takes text refuses what is not UTF-8.
   * @throws as `request`
   */
  requestBytes(bytes: Uint8Array, options?: ClientRequestOptions): Promise<ClientBytesReply>;
  /**
   * Sends each line as a request of its own, several at a time, and gives the outcomes in the order of the lines. A line that fails does not end
   * the others. At most `concurrency` lines are read ahead. Leaving the loop cancels the requests in flight.
   * @throws REQUEST_INVALID if `lines` is no source of lines; while iterating: the source's error, or REQUEST_CANCELLED by the signal or
   * by `close`, after the outcomes of the lines that had been sent
   */
  lines(lines: Lines, options?: ClientLinesOptions): AsyncGenerator<LineOutcome, void, undefined>;
  /**
   * Takes no more requests, waits up to `waitMs` for those in flight, ends the rest with REQUEST_CANCELLED and closes the connection. Closing
   * again with a shorter wait shortens it.
   */
  close(options?: CloseOptions): Promise<void>;
}

const SERVERS = 'nats://127.0.0.1:4222';
const FLEET = 'default';
const NAME = 'shoal-client';
const DEADLINE_MS = 30_000;
/** What a NATS server takes unless it is configured otherwise. */
const PAYLOAD_BYTES_DEFAULT = 1024 * 1024;

/**
 * Connects to a fleet.
 * @throws CONFIG_VALUE for an address, a fleet's name or credentials that are none; NATS_UNREACHABLE; NATS_UNAUTHORIZED
 */
export async function connect(options: ClientOptions = {}): Promise<Client> {
  const { servers = SERVERS, fleet = FLEET, name = NAME, deadlineMs = DEADLINE_MS } = options;
  const { connectTimeoutMs, credentials, onState } = options;
  if (connectTimeoutMs !== undefined && !(connectTimeoutMs > 0)) {
    throw new ShoalError('CONFIG_VALUE', `Expected \`connectTimeoutMs\` to be above 0, got ${connectTimeoutMs}`);
  }
  const connection = await connectNats({
    servers,
    name,
    ...(connectTimeoutMs === undefined ? {} : { timeoutMs: connectTimeoutMs }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(onState === undefined ? {} : { onState }),
  });
  try {
    return clientOn(connection, { fleet, deadlineMs });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

export interface ClientOnOptions {
  readonly fleet: string;
  readonly deadlineMs: number;
  readonly clock?: Clock;
  /** Begins the ids of its requests: no other client has the same. */
  readonly idPrefix?: string;
  /** Subject for replies, of nobody else. */
  readonly inbox?: string;
}

/** A client on a connection that is there already, which it closes with itself. */
export function clientOn(connection: Connection, options: ClientOnOptions): Client {
  const { fleet, deadlineMs, clock = systemClock, idPrefix = randomPrefix(), inbox } = options;
  const requester = createRequester(connection.nc, {
    fleet,
    deadlineMs,
    clock,
    ...(inbox === undefined ? {} : { inbox }),
  });
  return new FleetClient(connection, requester, { deadlineMs, clock, idPrefix });
}

const ID_BYTES = 8;

/** Ids are unique among all clients: a random part for this one, and a count. */
function randomPrefix(): string {
  return `c${randomHex(systemRandom, ID_BYTES)}-`;
}

/** A byte order mark at the beginning is part of the text. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

class FleetClient implements Client {
  readonly #connection: Connection;
  readonly #requester: Requester;
  readonly #deadlineMs: number;
  readonly #idPrefix: string;
  readonly #clock: Clock;
  readonly #open: OpenCount;
  readonly #closing = new AbortController();
  #idCount = 0;
  #wasServed = false;

  constructor(
    connection: Connection,
    requester: Requester,
    { deadlineMs, clock, idPrefix }: Required<Pick<ClientOnOptions, 'deadlineMs' | 'clock' | 'idPrefix'>>,
  ) {
    this.#connection = connection;
    this.#requester = requester;
    this.#deadlineMs = deadlineMs;
    this.#clock = clock;
    this.#open = new OpenCount(clock);
    this.#idPrefix = idPrefix;
  }

  get inFlight(): number {
    return this.#open.count;
  }

  get textBytesMax(): number {
    return this.#connection.nc.info?.max_payload ?? PAYLOAD_BYTES_DEFAULT;
  }

  async request(text: string, options: ClientRequestOptions = {}): Promise<ClientReply> {
    const { bytes, vm, host, ms } = await this.#send(encodeText(text), options);
    return { text: decoder.decode(bytes), vm, host, ms };
  }

  async requestBytes(bytes: Uint8Array, options: ClientRequestOptions = {}): Promise<ClientBytesReply> {
    return await this.#send(checkBytes(bytes), options);
  }

  async #send(bytes: Uint8Array, options: ClientRequestOptions): Promise<ClientBytesReply> {
    if (this.#closing.signal.aborted) throw new ShoalError('REQUEST_CANCELLED', 'The client is closed');
    const startMs = this.#clock.monotonic();
    const { id, deadlineMs = this.#deadlineMs, ...others } = options;
    const resending = { ...others, deadlineMs, requestId: id ?? this.#idPrefix + this.#idCount++ };
    const sending = sendUntilEnded(this.#requester, bytes, resending, () => this.#wasServed, this.#clock);
    const { payload, contentType, vm, host } = await this.#open.during(sending);
    this.#wasServed = true;
    return { bytes: payload, contentType, vm, host, ms: this.#clock.monotonic() - startMs };
  }

  lines(lines: Lines, options: ClientLinesOptions = {}): AsyncGenerator<LineOutcome, void, undefined> {
    const { concurrency = CONCURRENCY_DEFAULT, signal, ...others } = options;
    checkLines(lines, concurrency);
    return sendLines(lines, {
      concurrency,
      send: (line, cancel) => this.request(line, { ...others, signal: cancel }),
      signal,
      closing: this.#closing.signal,
    });
  }

  async close({ waitMs = 0 }: CloseOptions = {}): Promise<void> {
    this.#closing.abort();
    if (waitMs > 0) await this.#open.none(waitMs);
    this.#requester.close();
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
