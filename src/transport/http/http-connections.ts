import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { codeOf } from '../../errors.ts';

export interface HttpConnectionsOptions {
  readonly clock: Clock;
  /** How long a client may take to read an answer. */
  readonly answerMs: number;
  /** Of the answers that no client has read yet, all connections together. */
  readonly unreadBytesMax: number;
}

interface Connection {
  /** Requests that are not answered in full, in their order. */
  readonly open: Set<ServerResponse>;
  /** The answer to the request that came last. */
  newest: ServerResponse | undefined;
  /** The client was told that no answer follows. */
  isEnding: boolean;
  /** Of answers that were given to Node, and not yet to the system. */
  unreadBytes: number;
  /** Why nothing more can be understood of what the client sends; told once what came before is answered. */
  failure: Error | undefined;
}

/** What the front door keeps of its connections: what their clients have not read, and when they end. */
export class HttpConnections {
  readonly #options: HttpConnectionsOptions;
  readonly #connections = new Map<Duplex, Connection>();
  /** Those with unread answers; the one that has had some for longest is first. */
  readonly #slow = new Set<Duplex>();
  #unreadBytes = 0;

  constructor(server: Server, options: HttpConnectionsOptions) {
    this.#options = options;
    // A client that sends no more still reads its answers. Node has no option for it, and always had this property.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on('connection', (socket: Duplex) => {
      this.#connections.set(socket, {
        open: new Set(),
        newest: undefined,
        isEnding: false,
        unreadBytes: 0,
        failure: undefined,
      });
      socket.once('close', () => this.#closed(socket));
    });
    server.on('clientError', (error: Error, socket: Duplex) => this.#failed(socket, error));
    // Without a listener, Node would end the connection before the requests in front of it are answered.
    server.on('connect', (_: unknown, socket: Duplex) => {
      // Node has left the socket to us, with its errors.
      socket.on('error', () => undefined);
      this.#failed(socket, Object.assign(new Error('CONNECT is for proxies'), { code: CONNECT }));
    });
  }

  /**
   * To be called with each request, before it is answered.
   * @returns false if the client has been told that no answer follows: it may send the request again, so nobody may work on it
   */
  began(response: ServerResponse): boolean {
    const { socket } = response.req;
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.isEnding) return false;
    connection.open.add(response);
    connection.newest = response;
    response.once('finish', () => {
      connection.open.delete(response);
      this.#endIfFailed(socket, connection);
    });
    return true;
  }

  /**
   * Makes an answer the last one of its connection.
   * @returns false if more requests have come behind it, whose answers would be lost
   */
  endWith(response: ServerResponse): boolean {
    const connection = this.#connections.get(response.req.socket);
    if (connection === undefined || connection.newest !== response) return false;
    connection.isEnding = true;
    return true;
  }

  /** To be called with each answer that was given to Node. Whoever has not read for longest makes room for it. */
  answered(response: ServerResponse, bytes: number): void {
    const { socket } = response.req;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#limitTime(response);
    this.#add(socket, connection, bytes);
    response.once('finish', () => this.#add(socket, connection, -bytes));
    for (const slow of this.#slow) {
      if (this.#unreadBytes <= this.#options.unreadBytesMax) return;
      this.#closed(slow);
      slow.destroy();
    }
  }

  /** The time of an answer that waits for those before it has not begun. */
  #limitTime(response: ServerResponse): void {
    const begin = (): void => {
      const cancel: CancelTimer = this.#options.clock.timer(this.#options.answerMs, () => response.destroy());
      response.once('close', cancel);
    };
    if (response.socket === null) response.once('socket', begin);
    else begin();
  }

  #add(socket: Duplex, connection: Connection, bytes: number): void {
    // What was left of one that is closed is counted no more.
    if (this.#connections.get(socket) !== connection) return;
    connection.unreadBytes += bytes;
    this.#unreadBytes += bytes;
    if (connection.unreadBytes > 0) this.#slow.add(socket);
    else this.#slow.delete(socket);
  }

  #closed(socket: Duplex): void {
    this.#unreadBytes -= this.#connections.get(socket)?.unreadBytes ?? 0;
    this.#connections.delete(socket);
    this.#slow.delete(socket);
  }

  #failed(socket: Duplex, error: Error): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || !socket.writable || codeOf(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    connection.failure ??= error;
    this.#endIfFailed(socket, connection);
  }

  /** A request that has not come in full is the one that failed; those before it are answered first. */
  #endIfFailed(socket: Duplex, { open, failure }: Connection): void {
    if (failure === undefined || socket.destroyed) return;
    const left = [...open];
    if (left.some(({ req }) => req.complete)) return;
    // Nothing can be said in the middle of an answer.
    if (!left.some(({ headersSent }) => headersSent)) socket.write(FAILURES[codeOf(failure) ?? ''] ?? BAD_REQUEST);
    socket.destroy();
  }
}

function lastAnswer(status: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
}

/** A code of ours. */
const CONNECT = 'CONNECT';
const BAD_REQUEST = lastAnswer('400 Bad Request');
/** As Node answers them, where it does. */
const FAILURES: Readonly<Record<string, string>> = {
  [CONNECT]: lastAnswer('405 Method Not Allowed\r\nAllow: POST'),
  HPE_HEADER_OVERFLOW: lastAnswer('431 Request Header Fields Too Large'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: lastAnswer('413 Payload Too Large'),
  ERR_HTTP_REQUEST_TIMEOUT: lastAnswer('408 Request Timeout'),
};
