import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../errors.ts';
import { type FrameSink, FrameType, HEADER_BYTES, NO_BYTES } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';

interface Frame {
  type: FrameType;
  low: number;
  high: number;
  op: Uint8Array;
  token: Uint8Array;
  payload: Uint8Array;
}

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(...Object.values(FrameType)),
  low: fc.nat({ max: 0xffffffff }),
  high: fc.nat({ max: 0xffffffff }),
  op: fc.uint8Array({ maxLength: 64 }),
  token: fc.uint8Array({ maxLength: 256 }),
  // Below and above what the writer copies.
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.nat({ max: 40_000 }).map((length) => new Uint8Array(length).fill(7)),
  ),
});

/** Frames as text: comparing large arrays element by element takes the time of the whole suite. */
class Collector implements FrameSink {
  readonly frames: string[] = [];
  frame(type: number, low: number, high: number, op: Uint8Array, token: Uint8Array, payload: Uint8Array): void {
    this.frames.push(describeFrame(type, low, high, op, token, payload));
  }
}

function describeFrame(type: number, low: number, high: number, ...parts: Uint8Array[]): string {
  return [type, low, high, ...parts.map((bytes) => Buffer.from(bytes).toString('latin1'))].join('|');
}

function write(frames: readonly Frame[]): Buffer {
  const writer = new FrameWriter();
  for (const { type, low, high, op, token, payload } of frames) writer.append(type, low, high, op, token, payload);
  const bytes = writer.bytes;
  const written = Buffer.concat(writer.take());
  expect(written).toHaveLength(bytes);
  return written;
}

function* split(bytes: Uint8Array, sizes: Iterator<number>): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size: number = sizes.next().value ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const frames = fc.array(frame, { maxLength: 12 });
const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 3_000 }));

describe('frames', () => {
  it('have the layout of the contract', () => {
    const bytes = write([
      {
        type: 1,
        low: 0x01020304,
        high: 0x05060708,
        op: Buffer.from('up'),
        token: Buffer.from('tok'),
        payload: Buffer.from('text'),
      },
    ]);
    expect(bytes.toString('hex')).toBe(`09000000010203000403020108070605${Buffer.from('uptoktext').toString('hex')}`);
  });

  it('come out as they went in, however the stream is split', () => {
    fc.assert(
      fc.property(frames, sizes, (sent, chunks) => {
        const collector = new Collector();
        const parser = new FrameParser(collector);
        for (const chunk of split(write(sent), chunks)) parser.push(chunk);
        const expected = sent.map(({ type, low, high, op, token, payload }) =>
          describeFrame(type, low, high, op, token, payload),
        );
        expect(collector.frames).toEqual(expected);
      }),
    );
  });

  it('damaged anywhere, are either other frames or refused for good with FRAME_INVALID', () => {
    fc.assert(
      fc.property(
        frames,
        sizes,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
        (sent, chunks, damage) => {
          const bytes = write(sent);
          for (const [at, value] of damage) if (bytes.length > 0) bytes[at % bytes.length] = value;
          const parser = new FrameParser(new Collector(), 100_000);
          const errors = [...split(bytes, chunks)].map((chunk) => errorOf(() => parser.push(chunk)));
          const first = errors.findIndex((error) => error !== undefined);
          for (const error of first < 0 ? [] : errors.slice(first))
            expect(error).toMatchObject({ code: 'FRAME_INVALID' });
        },
      ),
    );
  });

  it('of random bytes do no more than that either', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 })), (chunks) => {
        const parser = new FrameParser(new Collector());
        for (const chunk of chunks) {
          const error = errorOf(() => parser.push(chunk));
          if (error !== undefined) expect(error).toMatchObject({ code: 'FRAME_INVALID' });
        }
      }),
    );
  });

  it('may be as long as is allowed', () => {
    const payload = new Uint8Array(4_096).fill(7);
    const collector = new Collector();
    const none = new Uint8Array(0);
    const bytes = write([{ type: FrameType.reply, low: 1, high: 2, op: none, token: none, payload }]);
    new FrameParser(collector, 4_096).push(bytes);
    expect(collector.frames).toEqual([describeFrame(FrameType.reply, 1, 2, none, none, payload)]);
  });

  it.each([
    ['a byte longer than allowed', '01100000' + '02000000'],
    ['of type 0', '00000000' + '00000000'],
    ['of type 10', '00000000' + '0a000000'],
    ['with an operation that is too long', 'ff000000' + '01410000'],
    ['with a token that is too long', 'ff0f0000' + '02000101'],
    ['with names longer than the frame', '04000000' + '01030200'],
  ])('%s are refused before anything is kept for them', (_name, start) => {
    const header = Buffer.concat([Buffer.from(start, 'hex'), Buffer.alloc(HEADER_BYTES - 8)]);
    expect(() => new FrameParser(new Collector(), 4_096).push(header)).toThrow(ShoalError);
  });
});

describe('writers', () => {
  const step = fc.record({ writer: fc.nat({ max: 2 }), bytes: fc.nat({ max: 3_000 }), takes: fc.boolean() });

  it('share their memory, and each has the bytes of its own frames, also long after it gave them away', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const writers = [0, 1, 2].map(() => {
          const taken: Uint8Array[] = [];
          return { writer: new FrameWriter(), taken, sent: '' };
        });
        for (const [id, { writer, bytes, takes }] of steps.entries()) {
          const one = writers[writer];
          if (one === undefined) throw new Error('there are three');
          const payload = Buffer.alloc(bytes, id);
          one.writer.append(FrameType.request, id, writer, NO_BYTES, NO_BYTES, payload);
          one.sent += describeFrame(FrameType.request, id, writer, NO_BYTES, NO_BYTES, payload);
          if (takes) one.taken.push(...one.writer.take());
        }
        for (const { writer, taken, sent } of writers) {
          const collector = new Collector();
          new FrameParser(collector).push(Buffer.concat([...taken, ...writer.take()]));
          expect(collector.frames.join('')).toBe(sent);
        }
      }),
    );
  });
});

function errorOf(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
