import { ByteBuffer } from './byte-buffer.ts';
import { refuse, tooLong } from './http-invalid.ts';
import { type BodyRule, type Head, parseHead } from './response-head.ts';

/** A whole response. */
export interface HttpResponse {
  readonly status: number;
  /** The words behind the status; empty if there are none. */
  readonly reason: string;
  /** Perhaps a view into bytes that were received, which are never written to again. */
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  /** Whether another request may follow on the connection. */
  readonly keepAlive: boolean;
}

/** All heads of one response together: interim ones, the final one and the trailer. */
export const HEAD_BYTES_MAX = 16 * 1024;
/** A line with the size of a chunk; what follows the size on it means nothing. */
const SIZE_LINE_BYTES_MAX = 256;
const START = Buffer.from('HTTP/1.');
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CHUNK_SIZE = /^([0-9a-f]{1,8})(?:[ \t]*;.*)?$/i;

type Stage = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

/**
 * Reads one HTTP/1 response, however its bytes are split. It is strict wherever two readers could disagree about where
 * a response ends, and it never holds more than the two limits. The bytes of a guest are untrusted.
 */
export class HttpResponseParser {
  readonly #bodyBytesMax: number;
  #stage: Stage = 'head';
  /** The line that is being read. */
  readonly #line = new ByteBuffer();
  /** The lines of the head, without their ends. */
  #lines: string[] = [];
  #headBytes = 0;
  #head: Head | undefined;
  readonly #body = new ByteBuffer();
  /** The whole body, if it came in one piece. */
  #piece: Uint8Array | undefined;
  /** Of the body or of the chunk. */
  #leftBytes = 0;

  /** @param bodyBytesMax longest body that is read */
  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /**
   * @returns the response once it is whole. Bytes behind it mean that the guest has lost its place: the connection
   * cannot be used again then.
   * @throws HTTP_INVALID, HTTP_BODY_TOO_LONG; the parser is of no use then
   */
  push(bytes: Uint8Array): HttpResponse | undefined {
    let at = 0;
    while (at < bytes.length && this.#stage !== 'done') at = this.#take(bytes, at);
    if (this.#stage !== 'done') return undefined;
    return this.#response(at === bytes.length);
  }

  /**
   * The connection has ended.
   * @returns the response, if its end is the end of the connection
   */
  end(): HttpResponse | undefined {
    return this.#stage === 'until-close' ? this.#response(false) : undefined;
  }

  #take(bytes: Uint8Array, at: number): number {
    switch (this.#stage) {
      case 'head':
        if (this.#lines.length === 0) checkStart(bytes, at, this.#line.length);
        return this.#readLine(bytes, at, HEAD_BYTES_MAX - this.#headBytes, (line) => this.#headLine(line));
      case 'trailer':
        return this.#readLine(bytes, at, HEAD_BYTES_MAX - this.#headBytes, (line) => this.#headLine(line));
      case 'chunk-size':
        return this.#readLine(bytes, at, SIZE_LINE_BYTES_MAX, (line) => this.#chunkSize(line));
      case 'chunk-end':
        return this.#readLine(bytes, at, 2, (line) => {
          if (line !== '') refuse('a chunk is longer than it says');
          this.#stage = 'chunk-size';
        });
      case 'length':
      case 'chunk':
      case 'until-close':
        return this.#readBody(bytes, at);
      case 'done':
        return bytes.length;
    }
  }

  #readLine(bytes: Uint8Array, from: number, bytesMax: number, use: (line: string) => void): number {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (this.#line.length + end - from > bytesMax) refuse(`a head or a line in it is longer than ${bytesMax} bytes`);
    const part = bytes.subarray(from, end);
    if (newline < 0 || this.#line.length > 0) this.#line.append(part);
    if (newline < 0) return end;
    const line = this.#line.length === 0 ? part : this.#line.take();
    // A reader that takes a lone newline for an end of line may see another end of the head than one that does not.
    if (line[line.length - 2] !== RETURN) refuse('a line does not end with a return and a newline');
    if (this.#stage === 'head' || this.#stage === 'trailer') this.#headBytes += line.length;
    use(Buffer.from(line.buffer, line.byteOffset, line.length - 2).toString('latin1'));
    return end;
  }

  #headLine(line: string): void {
    if (line !== '') {
      if (this.#stage === 'head') this.#lines.push(line);
      return;
    }
    if (this.#stage === 'trailer') {
      this.#stage = 'done';
      return;
    }
    const head = parseHead(this.#lines);
    this.#lines = [];
    // An interim response, such as 100; the real one follows.
    if (head.status < 200) return;
    this.#head = head;
    this.#begin(head.body);
  }

  #begin(body: BodyRule): void {
    switch (body.kind) {
      case 'none':
        this.#stage = 'done';
        return;
      case 'chunked':
        this.#stage = 'chunk-size';
        return;
      case 'until-close':
        this.#stage = 'until-close';
        return;
      case 'length':
        if (body.bytes > this.#bodyBytesMax) tooLong(this.#bodyBytesMax);
        this.#leftBytes = body.bytes;
        this.#stage = body.bytes === 0 ? 'done' : 'length';
    }
  }

  #chunkSize(line: string): void {
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) refuse('the size of a chunk is not one');
    this.#leftBytes = Number.parseInt(size, 16);
    this.#stage = this.#leftBytes === 0 ? 'trailer' : 'chunk';
  }

  #readBody(bytes: Uint8Array, from: number): number {
    const limit = this.#stage === 'until-close' ? bytes.length : Math.min(bytes.length, from + this.#leftBytes);
    const part = bytes.subarray(from, limit);
    if (this.#body.length + part.length > this.#bodyBytesMax) tooLong(this.#bodyBytesMax);
    if (this.#stage === 'length' && part.length === this.#leftBytes && this.#body.length === 0) this.#piece = part;
    else this.#body.append(part);
    if (this.#stage === 'until-close') return limit;
    this.#leftBytes -= part.length;
    if (this.#leftBytes === 0) this.#stage = this.#stage === 'length' ? 'done' : 'chunk-end';
    return limit;
  }

  #response(endsHere: boolean): HttpResponse {
    const head = this.#head;
    if (head === undefined) throw new Error('a response has no head');
    this.#stage = 'done';
    const { status, reason, contentType } = head;
    const body = this.#piece ?? this.#body.take();
    return { status, reason, body, contentType, keepAlive: head.keepAlive && endsHere };
  }
}

/** Who speaks something else may never send an end of line. */
function checkStart(bytes: Uint8Array, from: number, known: number): void {
  for (let at = known; at < START.length && from + at - known < bytes.length; at++) {
    if (bytes[from + at - known] !== START[at]) refuse('it does not begin with a status line of HTTP/1.0 or HTTP/1.1');
  }
}
