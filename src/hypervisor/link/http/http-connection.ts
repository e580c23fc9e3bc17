import { toEnvelope } from '../../../errors.ts';
import type { GuestConnection } from '../../port.ts';
import { type HttpResponse, HttpResponseParser } from './response-parser.ts';

/** What is told of a connection; after `ended` nothing more comes. */
export interface HttpConnectionListener {
  opened(connection: HttpConnection): void;
  /** The response to what was sent last. Another request may follow if it says so; else the connection is closed. */
  answered(connection: HttpConnection, response: HttpResponse): void;
  /** @param code of the error that ended it; undefined if the guest, or the network, did */
  ended(connection: HttpConnection, why: string, code: string | undefined): void;
}

/** One connection to a guest that speaks HTTP/1.1: one request at a time, and its response. */
export class HttpConnection {
  readonly #connection: GuestConnection;
  readonly #bodyBytesMax: number;
  readonly #listener: HttpConnectionListener;
  readonly #failed: (error: unknown) => void;
  /** Undefined while nothing is asked. */
  #parser: HttpResponseParser | undefined;
  #isOpen = false;
  #isClosed = false;
  /** Whether it has been asked, and answered, before. */
  #isUsed = false;

  /** @param failed told when a listener throws */
  constructor(
    connection: GuestConnection,
    bodyBytesMax: number,
    listener: HttpConnectionListener,
    failed: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#bodyBytesMax = bodyBytesMax;
    this.#listener = listener;
    this.#failed = failed;
    connection.onOpen(() => this.#guard(() => this.#opened()));
    connection.onBytes((bytes) => this.#guard(() => this.#received(bytes)));
    connection.onClose((why, isWhole) => this.#guard(() => this.#closed(why, isWhole)));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** @param head ends with an empty line @param body sent as it is; it must not change until it has been sent */
  send(head: string, body: Uint8Array): void {
    if (this.#parser !== undefined) throw new Error('a connection has one request at a time');
    this.#parser = new HttpResponseParser(this.#bodyBytesMax);
    if (body.length === 0 || body.length > COPY_BYTES_MAX) {
      this.#connection.write(Buffer.from(head, 'latin1'));
      if (body.length > 0) this.#connection.write(body);
      return;
    }
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 'latin1');
    bytes.set(body, head.length);
    this.#connection.write(bytes);
  }

  /** Ends it without another word to its listener. */
  close(): void {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#connection.close();
  }

  #opened(): void {
    this.#isOpen = true;
    this.#listener.opened(this);
  }

  #received(bytes: Uint8Array): void {
    const parser = this.#parser;
    if (parser === undefined) {
      this.#end('the guest has sent what nobody asked for', 'HTTP_INVALID');
      return;
    }
    let response: HttpResponse | undefined;
    try {
      response = parser.push(bytes);
    } catch (error) {
      const { code, message } = toEnvelope(error);
      if (code !== 'HTTP_INVALID' && code !== 'HTTP_BODY_TOO_LONG') throw error;
      this.#end(code === 'HTTP_INVALID' ? `${code}: ${message}` : message, code);
      return;
    }
    if (response !== undefined) this.#answer(response);
  }

  #closed(why: string, isWhole: boolean): void {
    // A body that ends with its connection may have been cut by a reset.
    const response = isWhole ? this.#parser?.end() : undefined;
    if (response === undefined) this.#end(why, undefined);
    else this.#answer(response);
  }

  #answer(response: HttpResponse): void {
    this.#parser = undefined;
    this.#isUsed = true;
    if (!response.keepAlive) this.close();
    this.#listener.answered(this, response);
  }

  #end(why: string, code: string | undefined): void {
    this.close();
    this.#listener.ended(this, why, code);
  }

  #guard(work: () => void): void {
    if (this.#isClosed) return;
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** Copying a larger body costs more than one more write. */
const COPY_BYTES_MAX = 8 * 1024;
