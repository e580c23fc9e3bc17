import { type Connection, connect as connectNats, createRequester, type Requester } from '../transport/mod.ts';
import { sendUntilEnded } from './resending.ts';

export interface ClientOptions {
  /** Default `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[];
  /** Default `default`. */
  readonly fleet?: string;
  /** Shown in the NATS server's list of connections; default `shoal-client`. */
  readonly name?: string;
  /** For requests that name no deadline; default 30000. */
  readonly deadlineMs?: number;
  /** How long connecting may take; default 5000. */
  readonly connectTimeoutMs?: number;
}

export interface ClientRequestOptions {
  /** `upper`, `lower`, `count` and so on, as the image offers; default: the image's own default. */
  readonly op?: string;
  /** Milliseconds from now, 1 to 3600000. */
  readonly deadlineMs?: number;
  /** A repeat with the same id joins the first. */
  readonly id?: string;
  /** Whether it may be tried once more on another VM; default true. */
  readonly retry?: boolean;
  readonly signal?: AbortSignal;
}

/** The processed text, and who processed it. */
export interface ClientReply {
  readonly text: string;
  readonly vm: number | undefined;
  readonly host: string | undefined;
}

export interface Client extends AsyncDisposable {
  /**
   * Sends text to the fleet and resolves with the processed text. While its deadline allows it is sent again, under the same id, if no reply
   * comes: the fleet joins repeats, so that a Shoal which dies and comes back is not noticed.
   * @throws a ShoalError whose code begins with REQUEST_; NATS_UNREACHABLE if the connection is closed
   */
  request(text: string, options?: ClientRequestOptions): Promise<ClientReply>;
  /** Ends requests in flight with REQUEST_CANCELLED and closes the connection. */
  close(): Promise<void>;
}

const SERVERS = 'nats://127.0.0.1:4222';
const FLEET = 'default';
const NAME = 'shoal-client';
const DEADLINE_MS = 30_000;

/**
 * Connects to a fleet.
 * @throws CONFIG_VALUE for an address or a fleet's name that is none; NATS_UNREACHABLE
 */
export async function connect(options: ClientOptions = {}): Promise<Client> {
  const { servers = SERVERS, fleet = FLEET, name = NAME, deadlineMs = DEADLINE_MS, connectTimeoutMs } = options;
  const connection = await connectNats({
    servers,
    name,
    ...(connectTimeoutMs === undefined ? {} : { timeoutMs: connectTimeoutMs }),
  });
  try {
    const requester = createRequester(connection.nc, { fleet, deadlineMs });
    return new FleetClient(connection, requester, deadlineMs);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

class FleetClient implements Client {
  readonly #connection: Connection;
  readonly #requester: Requester;
  readonly #deadlineMs: number;
  /** Ids are unique among all clients: a random part for this one, and a count. */
  readonly #idPrefix = `c${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}-`;
  #idCount = 0;
  #wasServed = false;

  constructor(connection: Connection, requester: Requester, deadlineMs: number) {
    this.#connection = connection;
    this.#requester = requester;
    this.#deadlineMs = deadlineMs;
  }

  async request(text: string, options: ClientRequestOptions = {}): Promise<ClientReply> {
    const { id, deadlineMs = this.#deadlineMs, ...others } = options;
    const resending = { ...others, deadlineMs, requestId: id ?? this.#idPrefix + this.#idCount++ };
    const { payload, vm, host } = await sendUntilEnded(
      this.#requester,
      encoder.encode(text),
      resending,
      () => this.#wasServed,
    );
    this.#wasServed = true;
    return { text: decoder.decode(payload), vm, host };
  }

  async close(): Promise<void> {
    this.#requester.close();
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
