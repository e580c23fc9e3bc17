import { MsgHdrsImpl } from 'nats';

const encoder = new TextEncoder();

/**
 * Headers that are encoded once and sent many times. nats.js validates and encodes headers for each message, which costs as much as the
 * rest of sending it.
 */
export class EncodedHeaders extends MsgHdrsImpl {
  readonly #bytes: Uint8Array;

  /** @param lines `Name: value`, without line breaks */
  constructor(lines: readonly string[]) {
    super();
    this.#bytes = encoder.encode(`NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  override encode(): Uint8Array {
    return this.#bytes;
  }
}
