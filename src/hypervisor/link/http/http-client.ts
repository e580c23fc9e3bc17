import { type CancelTimer, type Clock, systemClock } from '../../../actors/mod.ts';
import { ShoalError } from '../../../errors.ts';
import type { GuestConnection } from '../../port.ts';
import { NO_BYTES } from '../frame.ts';
import { HttpConnection, type HttpConnectionListener } from './http-connection.ts';
import { postHead, probeHead } from './request-head.ts';
import type { HttpResponse } from './response-parser.ts';

/** A client with promises that asks one thing at a time: for probes, and for tests. The channel carries the traffic. */
export class HttpClient {
  readonly #connect: () => GuestConnection;
  readonly #bodyBytesMax: number;
  readonly #clock: Clock;
  #connection: HttpConnection | undefined;
  #asked: Exchange | undefined;

  constructor(connect: () => GuestConnection, bodyBytesMax: number, clock: Clock = systemClock) {
    this.#connect = connect;
    this.#bodyBytesMax = bodyBytesMax;
    this.#clock = clock;
  }

  /** The guest's response, whatever its status. @throws LINK_LOST */
  get(path: string, timeoutMs: number): Promise<HttpResponse> {
    return this.#exchange(probeHead(path), NO_BYTES, timeoutMs, true);
  }

  /** The guest's response, whatever its status. @throws LINK_LOST */
  post(op: string, contentType: string, payload: Uint8Array, timeoutMs: number): Promise<HttpResponse> {
    const head = postHead(op, contentType, payload.length, {}, this.#clock);
    return this.#exchange(head, payload, timeoutMs, false);
  }

  close(): void {
    this.#drop('closed by us');
  }

  #exchange(head: string, body: Uint8Array, timeoutMs: number, mayRepeat: boolean): Promise<HttpResponse> {
    if (this.#asked !== undefined) throw new Error('a client asks one thing at a time');
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const cancel = this.#clock.timer(timeoutMs, () => this.#drop(`no answer within ${timeoutMs} ms`));
    this.#asked = { head, body, mayRepeat, resolve, reject, cancel };
    if (this.#connection === undefined) this.#open();
    else this.#connection.send(head, body);
    return promise;
  }

  #open(): void {
    const listener: HttpConnectionListener = {
      opened: (connection) => {
        if (this.#asked !== undefined) connection.send(this.#asked.head, this.#asked.body);
      },
      answered: (connection, response) => {
        if (!response.keepAlive && connection === this.#connection) this.#connection = undefined;
        this.#take()?.resolve(response);
      },
      ended: (connection, why) => this.#ended(connection, why),
    };
    this.#connection = new HttpConnection(this.#connect(), this.#bodyBytesMax, listener, (error) =>
      this.#drop(String(error)),
    );
  }

  #ended(connection: HttpConnection, why: string): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    // A connection that has rested may have been closed at this very moment, which says nothing.
    if (this.#asked?.mayRepeat === true && connection.isUsed) this.#open();
    else this.#drop(why);
  }

  #drop(why: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#take()?.reject(
      new ShoalError('LINK_LOST', `The connection to the guest was lost: ${why}`, { details: { why } }),
    );
  }

  #take(): Exchange | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.cancel();
    return asked;
  }
}

interface Exchange {
  readonly head: string;
  readonly body: Uint8Array;
  readonly mayRepeat: boolean;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: ShoalError) => void;
  readonly cancel: CancelTimer;
}
