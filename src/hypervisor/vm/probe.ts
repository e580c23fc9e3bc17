import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { NO_BYTES } from '../link/frame.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpConnection } from '../link/http/http-connection.ts';
import { probeHead } from '../link/http/request-head.ts';
import type { GuestConnection } from '../port.ts';
import type { HttpProbe } from '../profile/profile.ts';

/** Asks a guest for a sign of life, one question at a time. */
export interface Probe {
  /** @param done told once */
  run(probe: HttpProbe, done: (isWell: boolean) => void): void;
  /** Gives up what is under way. */
  close(): void;
}

/** The body of an answer to a probe means nothing. */
const BODY_BYTES_MAX = 64 * 1024;

/** @param isWell whether an answer of that status is a sign of life */
export function httpProbe(connect: () => GuestConnection, clock: Clock, isWell: (status: number) => boolean): Probe {
  return new HttpGuestProbe(connect, clock, isWell);
}

/** Pings over frames; the path means nothing. */
export function frameProbe(connect: () => GuestConnection, clock: Clock): Probe {
  let client: GuestClient | undefined;
  let isClosed = false;
  return {
    run({ timeoutMs }, done) {
      const answered = client === undefined ? GuestClient.open(connect(), timeoutMs, clock) : client.ping(timeoutMs);
      answered.then(
        (opened) => {
          client ??= opened instanceof GuestClient ? opened : undefined;
          if (isClosed) client?.close();
          done(true);
        },
        () => {
          client?.close();
          client = undefined;
          done(false);
        },
      );
    },
    close() {
      isClosed = true;
      client?.close();
    },
  };
}

class HttpGuestProbe implements Probe {
  readonly #connect: () => GuestConnection;
  readonly #clock: Clock;
  readonly #isWell: (status: number) => boolean;
  /** Kept while the guest does. */
  #connection: HttpConnection | undefined;
  #path = '/';
  #done: ((isWell: boolean) => void) | undefined;
  #cancel: CancelTimer | undefined;

  constructor(connect: () => GuestConnection, clock: Clock, isWell: (status: number) => boolean) {
    this.#connect = connect;
    this.#clock = clock;
    this.#isWell = isWell;
  }

  run({ path, timeoutMs }: HttpProbe, done: (isWell: boolean) => void): void {
    this.#path = path;
    this.#done = done;
    this.#cancel = this.#clock.timer(timeoutMs, () => {
      this.#connection?.close();
      this.#connection = undefined;
      this.#end(false);
    });
    if (this.#connection === undefined) this.#open();
    else this.#ask(this.#connection);
  }

  close(): void {
    this.#cancel?.();
    this.#done = undefined;
    this.#connection?.close();
  }

  #open(): void {
    this.#connection = new HttpConnection(
      this.#connect(),
      BODY_BYTES_MAX,
      {
        opened: (connection) => this.#ask(connection),
        answered: (connection, { status, keepAlive }) => {
          if (!keepAlive && connection === this.#connection) this.#connection = undefined;
          this.#end(this.#isWell(status));
        },
        ended: (connection) => this.#lost(connection),
      },
      // A listener of a probe tells its owner and does nothing else.
      (error) => queueMicrotask(() => raise(error)),
    );
  }

  #ask(connection: HttpConnection): void {
    connection.send(probeHead(this.#path), NO_BYTES);
  }

  #lost(connection: HttpConnection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#done === undefined) return;
    // A connection that has rested may have been closed at this very moment, which says nothing.
    if (connection.isUsed) this.#open();
    else this.#end(false);
  }

  #end(isWell: boolean): void {
    this.#cancel?.();
    const done = this.#done;
    this.#done = undefined;
    done?.(isWell);
  }
}

function raise(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error));
}
