import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../../errors.ts';
import { HEAD_BYTES_MAX, type HttpResponse, HttpResponseParser } from './response-parser.ts';

const BODY_BYTES_MAX = 1_000;

interface Read {
  readonly status: number;
  readonly body: string;
  readonly keepAlive: boolean;
}

/** Reads bytes that come in the given pieces and then end. @returns the response, or why there is none */
function readPieces(pieces: readonly Uint8Array[]): Read | string {
  const parser = new HttpResponseParser(BODY_BYTES_MAX);
  try {
    for (const piece of pieces) {
      const response = parser.push(piece);
      if (response !== undefined) return shown(response);
    }
    const last = parser.end();
    return last === undefined ? 'cut off' : shown(last);
  } catch (error) {
    if (error instanceof ShoalError) return error.code;
    throw error;
  }
}

function shown({ status, body, keepAlive }: HttpResponse): Read {
  return { status, body: Buffer.from(body).toString('latin1'), keepAlive };
}

function read(text: string): Read | string {
  return readPieces([Buffer.from(text, 'latin1')]);
}

function ok(body: string, keepAlive = true): Read {
  return { status: 200, body, keepAlive };
}

const LONG = 'x'.repeat(BODY_BYTES_MAX + 1);

describe('a response', () => {
  it.each<[string, string, Read]>([
    ['of a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', ok('hello')],
    ['without a reason', 'HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', ok('')],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2;x="y"\r\nde\r\n0\r\n\r\n',
      ok('abcde'),
    ],
    ['with a trailer', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n', ok('a')],
    ['that ends with its connection', 'HTTP/1.1 200 OK\r\n\r\nall of it', ok('all of it', false)],
    ['that is the last', 'HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 1\r\n\r\na', ok('a', false)],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', ok('a', false)],
    ['of HTTP/1.0 that goes on', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na', ok('a')],
    ['without content', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', keepAlive: true }],
    ['after an interim one', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na', ok('a')],
    ['with bytes behind it', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\n', ok('a', false)],
    [
      'of the greatest length',
      `HTTP/1.1 200 OK\r\ncontent-length: ${BODY_BYTES_MAX}\r\n\r\n${LONG.slice(1)}`,
      ok(LONG.slice(1)),
    ],
  ])('%s is read', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['that is none', 'SSH-2.0-OpenSSH\r\n'],
    ['that is none, without an end', '\u00ff\u00ff\u00ff\u00ff'],
    ['of another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['with a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['that changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['with lone newlines', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['with a line that goes on in the next', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n'],
    ['with a blank before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['with a list of lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\na'],
    ['with a length that has a sign', 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na'],
    ['with a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['with another coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['of HTTP/1.0 in chunks', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['with a chunk of no size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n'],
    [
      'with a chunk that is too large for a number',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n123456789\r\n',
    ],
    [
      'with a chunk that is longer than it says',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
    ],
    ['with a head without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(HEAD_BYTES_MAX)}`],
    [
      'with a size of a chunk without an end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${'y'.repeat(300)}`,
    ],
    ['with interim ones without an end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(HEAD_BYTES_MAX / 20)],
    [
      'with a trailer without an end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(3_000)}`,
    ],
  ])('%s is refused', (_, text) => {
    expect(read(text)).toBe('HTTP_INVALID');
  });

  it.each([
    ['by its length', `HTTP/1.1 200 OK\r\ncontent-length: ${LONG.length}\r\n\r\n`],
    ['by its chunks', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(LONG.length)}`],
    ['to the end of its connection', `HTTP/1.1 200 OK\r\n\r\n${LONG}`],
  ])('that is too long %s is given up before it has all come', (_, text) => {
    expect(read(text)).toBe('HTTP_BODY_TOO_LONG');
  });

  it('whose connection ends too early is none', () => {
    for (const text of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na']) {
      expect(read(text)).toBe('cut off');
    }
    expect(read('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n')).toBe('cut off');
  });

  it('costs no more for many blanks in its head than for other characters', () => {
    const blanks = ' '.repeat(HEAD_BYTES_MAX - 100);
    const head = (value: string): string => `HTTP/1.1 200 OK\r\nx:${value}\r\ncontent-length:${'\t '}1 \t\r\n\r\na`;
    // Before, this took a quarter of an hour.
    expect(read(head(`${blanks}\ry`))).toBe('HTTP_INVALID');
    expect(read(head(`y${blanks}y`))).toEqual(ok('a'));
    expect(read(head(blanks))).toEqual(ok('a'));
  });

  it('keeps in a field what is no blank', () => {
    expect(read('HTTP/1.1 200 OK\r\ncontent-length: 1\u00a0\r\n\r\na')).toBe('HTTP_INVALID');
  });

  it('means the same however its bytes are split', () => {
    const body = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ';', ' '), maxLength: 30 });
    const text = fc.oneof(
      body.map((one) => `HTTP/1.1 200 OK\r\ncontent-length: ${one.length}\r\n\r\n${one}`),
      fc.array(body).map((all) => {
        const chunks = all.filter((one) => one !== '').map((one) => `${one.length.toString(16)}\r\n${one}\r\n`);
        return `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
      }),
      body.map((one) => `HTTP/1.1 200 OK\r\n${one}`),
    );
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat()),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
        (one, cuts, flips) => {
          const bytes = Buffer.from(one, 'latin1');
          for (const [at, value] of flips) bytes[at % bytes.length] = value;
          const ends = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].toSorted((a, b) => a - b);
          const pieces = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
          const whole = readPieces([bytes]);
          const split = readPieces(pieces);
          // A piece that comes after the response is seen by the connection.
          if (typeof whole === 'object' && typeof split === 'object')
            expect({ ...split, keepAlive: 0 }).toEqual({ ...whole, keepAlive: 0 });
          else expect(split).toEqual(whole);
        },
      ),
    );
  });
});
