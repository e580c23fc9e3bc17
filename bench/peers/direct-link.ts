import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEADER_BYTES = 16;
const REQUEST = 1;

/** A bare connection to a guest: one frame out, one frame in. */
export class DirectLink {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #onError: ((error: Error) => void) | undefined;
  #onReply: ((payload: Buffer) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#onError?.(error));
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
  }

  /** Retries until the guest listens; before, `hostfwd` accepts and then closes. */
  static async open(host: string, port: number): Promise<DirectLink> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new DirectLink(socket);
  }

  /** @param op the operation; default: the service's own */
  request(text: string, op = ''): Promise<string> {
    const payload = Buffer.from(op + text);
    const frame = Buffer.alloc(HEADER_BYTES + payload.length);
    frame.writeUInt32LE(payload.length, 0);
    frame.writeUInt8(REQUEST, 4);
    frame.writeUInt8(op.length, 5);
    frame.writeBigUInt64LE(1n, 8);
    payload.copy(frame, HEADER_BYTES);
    return new Promise((resolve, reject) => {
      this.#onReply = (reply) => resolve(reply.toString());
      this.#onError = reject;
      this.#socket.write(frame);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length < HEADER_BYTES) return;
    const end = HEADER_BYTES + this.#received.readUInt32LE(0);
    if (this.#received.length < end) return;
    const body = this.#received.subarray(
      HEADER_BYTES + this.#received.readUInt8(5) + this.#received.readUInt16LE(6),
      end,
    );
    this.#received = this.#received.subarray(end);
    this.#onReply?.(body);
  }
}
