import { type Clock, systemClock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { GuestConnection } from '../port.ts';
import { contentTypeBytes } from './content-type-bytes.ts';
import { type FrameSink, FrameType, NO_BYTES } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { parseGuestError } from './guest-error.ts';

export interface GuestAnswer {
  readonly ok: boolean;
  /** Of a typed reply with its content type before it (`splitTyped`). */
  readonly payload: Uint8Array;
  readonly isTyped: boolean;
  readonly token: Uint8Array;
}

const ANSWERS: ReadonlySet<number> = new Set([FrameType.reply, FrameType.typedReply, FrameType.error, FrameType.pong]);

interface PendingExchange {
  readonly resolve: (answer: GuestAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: () => void;
}

/** A client with promises, for the accelerator's probe and for tests. The link actor carries the traffic. */
export class GuestClient implements FrameSink {
  readonly #connection: GuestConnection;
  readonly #clock: Clock;
  readonly #parser = new FrameParser(this);
  readonly #writer = new FrameWriter();
  readonly #pending = new Map<number, PendingExchange>();
  #nextId = 1;
  #closed: ShoalError | undefined;

  /** Resolves once a ping was answered. @throws LINK_LOST */
  static async open(connection: GuestConnection, timeoutMs: number, clock: Clock = systemClock): Promise<GuestClient> {
    const client = new GuestClient(connection, clock);
    try {
      await client.ping(timeoutMs);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  private constructor(connection: GuestConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    connection.onBytes((bytes) => this.#received(bytes));
    connection.onClose((why) => this.#end(why));
  }

  /** The guest's answer, which may be an error of its own. @throws LINK_LOST */
  ask(op: string, payload: Uint8Array, timeoutMs: number, token: Uint8Array = NO_BYTES): Promise<GuestAnswer> {
    return this.#exchange(FrameType.request, Buffer.from(op), token, payload, timeoutMs);
  }

  /** The same with a content type: only a guest that says payload=bytes knows such requests. @throws LINK_LOST */
  askTyped(
    op: string,
    contentType: string,
    payload: Uint8Array,
    timeoutMs: number,
    token: Uint8Array = NO_BYTES,
  ): Promise<GuestAnswer> {
    const typed = Buffer.concat([contentTypeBytes(contentType), payload]);
    return this.#exchange(FrameType.typedRequest, Buffer.from(op), token, typed, timeoutMs);
  }

  /** Sends a request and, at once, that nobody waits for it any more. @throws LINK_LOST */
  askAndCancel(op: string, payload: Uint8Array, timeoutMs: number, token: Uint8Array = NO_BYTES): Promise<GuestAnswer> {
    const id = this.#nextId;
    const answer = this.ask(op, payload, timeoutMs, token);
    this.#send(FrameType.cancel, id, NO_BYTES, NO_BYTES, NO_BYTES);
    return answer;
  }

  /** The reply as text. @throws REQUEST_VM_FAILED if the guest answers with an error; LINK_LOST */
  async request(op: string, text: string, timeoutMs: number): Promise<string> {
    const { ok, payload } = await this.ask(op, Buffer.from(text), timeoutMs);
    if (ok) return Buffer.from(payload).toString('utf8');
    const { status, message } = parseGuestError(payload);
    throw new ShoalError('REQUEST_VM_FAILED', `The guest answered ${status} ${message}`, {
      details: { status, message },
    });
  }

  async ping(timeoutMs: number): Promise<void> {
    await this.#exchange(FrameType.ping, NO_BYTES, NO_BYTES, NO_BYTES, timeoutMs);
  }

  /** Sends bytes as they are, for tests with invalid frames. */
  writeRaw(bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  close(): void {
    this.#connection.close();
    this.#end('closed by us');
  }

  frame(type: number, low: number, _high: number, _op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    const pending = this.#pending.get(low);
    if (pending === undefined || !ANSWERS.has(type)) return;
    this.#pending.delete(low);
    pending.cancel();
    pending.resolve({ ok: type !== FrameType.error, payload, token, isTyped: type === FrameType.typedReply });
  }

  #exchange(
    type: FrameType,
    op: Uint8Array,
    token: Uint8Array,
    payload: Uint8Array,
    timeoutMs: number,
  ): Promise<GuestAnswer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(timeoutMs, () => {
        this.#pending.delete(id);
        reject(lost(`no answer within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, cancel });
      this.#send(type, id, op, token, payload);
    });
  }

  #send(type: FrameType, id: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    this.#writer.append(type, id, 0, op, token, payload);
    for (const piece of this.#writer.take()) this.#connection.write(piece);
  }

  #received(bytes: Uint8Array): void {
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#end(String(error));
      this.#connection.close();
    }
  }

  #end(why: string): void {
    this.#closed ??= lost(why);
    for (const { reject, cancel } of this.#pending.values()) {
      cancel();
      reject(this.#closed);
    }
    this.#pending.clear();
  }
}

function lost(why: string): ShoalError {
  return new ShoalError('LINK_LOST', `The connection to the guest was lost: ${why}`, { details: { why } });
}
