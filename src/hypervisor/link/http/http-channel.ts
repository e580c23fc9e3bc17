import type { CancelTimer, Clock } from '../../../actors/mod.ts';
import type { GuestConnection } from '../../port.ts';
import { NO_BYTES } from '../frame.ts';
import type { ChannelListener, GuestChannel, LinkRequest } from '../guest-channel.ts';
import type { GuestError } from '../guest-error.ts';
import { HttpConnection, type HttpConnectionListener } from './http-connection.ts';
import { httpError, isReply } from './http-outcome.ts';
import type { HttpSettings, ProbeSettings } from './http-settings.ts';
import { postHead, probeHead } from './request-head.ts';
import type { HttpResponse } from './response-parser.ts';

export interface HttpChannelOptions {
  readonly connect: () => GuestConnection;
  readonly clock: Clock;
  readonly settings: HttpSettings;
  readonly bodyBytesMax: number;
  readonly listener: HttpChannelListener;
}

export interface HttpChannelListener extends ChannelListener {
  /** @param contentType as the guest says it */
  reply(low: number, payload: Uint8Array, contentType: string | undefined): void;
  error(low: number, error: GuestError): void;
  /** The connection of this request is lost, and others are not. What was sent may have been worked on. `ready` follows once the guest has answered a probe. */
  dropped(low: number, why: string): void;
}

interface Probe {
  readonly connection: HttpConnection;
  /** Somebody waits for its answer. */
  isAsked: boolean;
  cancel: CancelTimer;
}

/** How long the next connection, or probe, waits after one that could not be opened while others work. */
const OPEN_AGAIN_MS = 100;
/** Who closes a connection sooner after an answer closes each one, whatever its head said; a server's idle time is longer. */
const SHORT_REST_MS = 500;

/**
 * A guest that speaks HTTP/1.1: a connection for each request in work, kept for the next one. Connections are opened
 * one after the other, because QEMU's user network takes only two at once. The guest is lost when its last connection
 * breaks, or when none can be opened.
 */
export class HttpChannel implements GuestChannel, HttpConnectionListener {
  readonly #options: HttpChannelOptions;
  readonly #idle: HttpConnection[] = [];
  readonly #busy = new Map<number, HttpConnection>();
  readonly #requests = new Map<HttpConnection, number>();
  /** Those that were opened after a request was lost with its connection: whatever broke that one may have broken all before it. */
  #trusted = new WeakSet<HttpConnection>();
  /** When the connections that were answered came to rest, in monotonic milliseconds. */
  readonly #restedMs = new WeakMap<HttpConnection, number>();
  /** The guest closes connections that it promised to keep. One that rests would be lost with the next request, or asked for in vain without end. */
  #keepsNone = false;
  /** A request was lost with its connection, and the guest has not answered since: it may have ended. */
  #doubted = false;
  #opening: HttpConnection | undefined;
  #probe: Probe | undefined;
  #cancelAgain: CancelTimer | undefined;
  #ready = false;
  #lost = false;

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    this.#startProbe(false);
  }

  get isReady(): boolean {
    return this.#ready && !this.#doubted;
  }

  get isFull(): boolean {
    return this.#idle.length === 0;
  }

  request({ id, op, payload, contentType, requestId, deadlineMs }: LinkRequest): void {
    const connection = this.#idle.pop();
    if (connection === undefined) throw new Error('no connection is free');
    const { settings, clock } = this.#options;
    const low = id >>> 0;
    this.#busy.set(low, connection);
    this.#requests.set(connection, low);
    const type = settings.takesTypes === true ? (contentType ?? settings.contentType) : settings.contentType;
    const head = postHead(op, type, payload.length, { requestId, deadlineMs }, clock);
    connection.send(head, payload);
  }

  /** HTTP has no other way to say that nobody waits any more. */
  cancel(low: number): void {
    const connection = this.#busy.get(low);
    if (connection === undefined) return;
    this.#leave(low, connection);
    connection.close();
    const { listener } = this.#options;
    listener.error(low, { status: 499, message: 'cancelled; the connection was closed' });
    if (!this.#lost) listener.drained();
  }

  lack(): void {
    if (this.#opening !== undefined || this.#cancelAgain !== undefined || this.#lost) return;
    if (this.#idle.length + this.#busy.size >= this.#options.settings.connectionsMax()) return;
    this.#opening = this.#open();
  }

  /** A guest that speaks HTTP is given no commands for others. */
  relay(): void {}

  keepAlive(): void {
    if (this.#ready && this.#probe === undefined) this.#startProbe(false);
  }

  ask(): void {
    if (!this.#ready) return;
    if (this.#probe === undefined) this.#startProbe(true);
    else this.#probe.isAsked = true;
  }

  close(): void {
    this.#lost = true;
    this.#probe?.cancel();
    this.#cancelAgain?.();
    const all = [...this.#idle, ...this.#busy.values(), this.#opening, this.#probe?.connection];
    for (const connection of all) connection?.close();
    this.#idle.length = 0;
    this.#busy.clear();
    this.#requests.clear();
    this.#opening = undefined;
    this.#probe = undefined;
  }

  opened(connection: HttpConnection): void {
    if (connection === this.#probe?.connection) {
      this.#sendProbe(connection);
      return;
    }
    this.#opening = undefined;
    this.#rest(connection);
  }

  answered(connection: HttpConnection, response: HttpResponse): void {
    if (connection === this.#probe?.connection) {
      this.#probed(this.#probe, response);
      return;
    }
    const low = this.#requests.get(connection);
    if (low === undefined) return;
    this.#leave(low, connection);
    const { listener } = this.#options;
    if (isReply(response)) listener.reply(low, response.body, response.contentType);
    else listener.error(low, httpError(response));
    if (this.#lost) return;
    if (response.keepAlive) this.#keep(connection);
    // Whoever waits for a connection needs a new one.
    else listener.drained();
  }

  ended(connection: HttpConnection, why: string, code: string | undefined): void {
    if (connection === this.#probe?.connection) {
      this.#probeFailed(this.#probe, why);
    } else if (connection === this.#opening) {
      this.#opening = undefined;
      this.#openFailed(why);
    } else {
      const low = this.#requests.get(connection);
      if (low === undefined) this.#idleEnded(connection);
      else this.#busyEnded(low, connection, why, code);
    }
  }

  get #asked(): ProbeSettings {
    const { readiness, liveness } = this.#options.settings;
    return this.#ready ? liveness : readiness;
  }

  #open(): HttpConnection {
    const { connect, bodyBytesMax, listener } = this.#options;
    const connection = new HttpConnection(connect(), bodyBytesMax, this, (error) => listener.failed(error));
    this.#trusted.add(connection);
    return connection;
  }

  #leave(low: number, connection: HttpConnection): void {
    this.#busy.delete(low);
    this.#requests.delete(connection);
  }

  /** It has been answered. */
  #keep(connection: HttpConnection): void {
    if (this.#keepsNone) {
      connection.close();
      if (this.#ready) this.#options.listener.drained();
      return;
    }
    this.#restedMs.set(connection, this.#options.clock.monotonic());
    this.#rest(connection);
  }

  /** It is there for the next request. */
  #rest(connection: HttpConnection): void {
    if (this.#trusted.has(connection)) this.#idle.push(connection);
    else {
      connection.close();
      this.#askWithoutConnection();
    }
    if (this.#ready) this.#options.listener.drained();
  }

  #busyEnded(low: number, connection: HttpConnection, why: string, code: string | undefined): void {
    const { listener } = this.#options;
    if (code === 'HTTP_BODY_TOO_LONG') {
      // It has been worked on, and another VM would answer the same.
      this.#leave(low, connection);
      listener.error(low, { status: 502, message: why });
      if (!this.#lost) listener.drained();
    } else if (this.#busy.size === 1) {
      this.#lose(why);
    } else {
      this.#leave(low, connection);
      this.#doubt();
      listener.dropped(low, why);
    }
  }

  /** What is tried again must not be lost with the same guest: nothing is sent until it has answered on a new connection. */
  #doubt(): void {
    this.#doubted = true;
    this.#trusted = new WeakSet();
    for (const connection of this.#idle.splice(0)) connection.close();
    const probe = this.#probe;
    probe?.cancel();
    probe?.connection.close();
    this.#startProbe(probe?.isAsked === true);
  }

  /** Nothing would tell that the guest ends. */
  #askWithoutConnection(): void {
    if (this.#idle.length + this.#busy.size === 0) this.keepAlive();
  }

  /** Many servers close a connection that is not used. */
  #idleEnded(connection: HttpConnection): void {
    const restedMs = this.#restedMs.get(connection);
    const isShort = restedMs !== undefined && this.#options.clock.monotonic() - restedMs < SHORT_REST_MS;
    if (isShort) this.#keepsNone = true;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#askWithoutConnection();
  }

  #openFailed(why: string): void {
    if (this.#busy.size + this.#idle.length === 0) {
      this.#lose(why);
      return;
    }
    // Nobody waits for a connection then, and the next probe is on its way.
    if (this.#doubted) return;
    this.#later(() => this.#options.listener.drained());
  }

  #later(work: () => void): void {
    this.#cancelAgain?.();
    this.#cancelAgain = this.#options.clock.timer(OPEN_AGAIN_MS, () => {
      this.#cancelAgain = undefined;
      work();
    });
  }

  #startProbe(isAsked: boolean): void {
    const connection = this.#idle.pop() ?? this.#open();
    const cancel = this.#options.clock.timer(this.#asked.timeoutMs, () => {
      connection.close();
      if (this.#probe?.connection === connection) this.#probeSilent();
    });
    this.#probe = { connection, isAsked, cancel };
    if (connection.isOpen) this.#sendProbe(connection);
  }

  #sendProbe(connection: HttpConnection): void {
    connection.send(probeHead(this.#asked.path), NO_BYTES);
  }

  #probed({ connection, isAsked, cancel }: Probe, { status, keepAlive }: HttpResponse): void {
    const { listener } = this.#options;
    cancel();
    this.#probe = undefined;
    const isWell = this.#options.settings.isWell(status);
    if (!isWell && !this.#ready) {
      if (keepAlive) connection.close();
      this.#lose(`the probe was answered with ${status}`);
      return;
    }
    // Any answer of a guest that was ready shows that it is there.
    if (!this.isReady) {
      this.#ready = true;
      this.#doubted = false;
      listener.ready();
    }
    if (isWell && isAsked) listener.pong();
    if (this.#lost) return;
    if (keepAlive) this.#keep(connection);
  }

  #probeFailed({ connection, isAsked, cancel }: Probe, why: string): void {
    cancel();
    this.#probe = undefined;
    // A connection that has rested may have been closed at this very moment, which says nothing.
    if (this.#ready && connection.isUsed) this.#startProbe(isAsked);
    else if (!this.#ready || this.#busy.size + this.#idle.length === 0) this.#lose(why);
    else if (this.#doubted) this.#later(() => this.#startProbe(isAsked));
  }

  /** A guest that computes may take long; only one that never answered is taken for lost. */
  #probeSilent(): void {
    this.#probe = undefined;
    if (this.#doubted) this.#startProbe(false);
    else if (!this.#ready) this.#lose(`no answer to GET ${this.#asked.path} in time`);
  }

  #lose(why: string): void {
    if (this.#lost) return;
    this.close();
    this.#options.listener.lost(why, this.#ready);
  }
}
