import { encode as pack, decode as unpack } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ref } from '../actors/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import type { RefAddress } from '../refs/mod.ts';
import { MessageCodec } from './message-codec.ts';
import { isWhole } from './scan.ts';
import { asReceived } from './testing/fake-network.ts';

const takenBack: RefAddress[] = [];
const codec = new MessageCodec({
  addressOf: ({ path }): RefAddress => ['ref', Number(path.slice(1)), path],
  takeBack: (given) => void takenBack.push(...given),
  refOf: ([, id]) => ({ path: `#${id}`, tell: () => false }),
});
const carried = (value: unknown): unknown => codec.decode(codec.encode(value).bytes);

describe('a message', () => {
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: false,
    stringUnit: 'binary',
    maxDepth: 4,
  });
  // A field of that name would not arrive as one.
  const plain = values.filter((value) => !hasProto(value));

  it('arrives as a structured clone would', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(carried(value)).toStrictEqual(structuredClone(value));
      }),
    );
  });

  it.each([
    ['undefined', { a: undefined, b: [undefined] }],
    ['minus zero', { a: -0 }],
    ['half a character', '\ud800x'],
    ['large numbers', [2 ** 53, -(2 ** 60), 1e300, Number.NaN, Number.POSITIVE_INFINITY]],
    ['large integers', [2n ** 200n, -1n, 0n]],
    ['a date that is none', new Date(Number.NaN)],
    ['a regular expression', /a[b/]+/giu],
    ['objects as keys of a map', new Map<unknown, unknown>([[{ a: 1 }, new Set([new Map()])]])],
    [
      'bytes',
      { bytes: new Uint8Array([1, 2, 3]), buffer: new Uint8Array([4]).buffer, view: new DataView(new ArrayBuffer(3)) },
    ],
    ['numbers of 8 bytes', { a: 1, b: new Float64Array([1.5, -0]), c: new BigInt64Array([-5n]) }],
  ])('keeps %s', (_what, value) => {
    expect(carried(value)).toStrictEqual(structuredClone(value));
  });

  it('has bytes of its own, and no memory around them', () => {
    const got = carried(Buffer.from('abc'));
    expect(got).toStrictEqual(new Uint8Array([97, 98, 99]));
    // The line above says what it is.
    expect((got as Uint8Array).buffer.byteLength).toBe(3);
  });

  const sevenBytes = Buffer.alloc(40, 1).subarray(3, 10);
  it.each<ArrayBuffer | ArrayBufferView<ArrayBuffer>>([
    Uint8Array.of(1, 2, 3),
    Int8Array.of(-1, 2, 3),
    Uint8ClampedArray.of(1, 2, 255),
    Uint16Array.of(1, 2, 65_535),
    Int16Array.of(-1, 2),
    Uint32Array.of(1, 2 ** 31),
    Int32Array.of(-1, 2),
    Float32Array.of(1.5, -0),
    Float64Array.of(1.5, Number.NaN),
    BigInt64Array.of(-5n),
    BigUint64Array.of(2n ** 63n),
    new DataView(sevenBytes.buffer, sevenBytes.byteOffset + 1, 3),
    Uint8Array.of(1, 2, 3).buffer,
    new Float64Array(0),
    sevenBytes,
  ])('arrives as it was from within a larger Buffer, and takes none of it along: %o', (value) => {
    const arrived = codec.decode(asReceived(codec.encode({ value }).bytes));
    expect(arrived).toStrictEqual({ value: structuredClone(Buffer.isBuffer(value) ? new Uint8Array(value) : value) });
    // The line above says what it is.
    const got = (arrived as { value: ArrayBuffer | ArrayBufferView }).value;
    const memory = ArrayBuffer.isView(got) ? got.buffer : got;
    expect(memory.byteLength).toBe(value.byteLength);
  });

  it('carries errors with code, details, causes and stack', () => {
    const error = new ShoalError('ACTOR_STOPPED', 'gone', { cause: new TypeError('why'), details: { n: 1 } });
    expect(carried({ error })).toMatchObject({
      error: { name: 'ShoalError', code: 'ACTOR_STOPPED', message: 'gone', details: { n: 1 }, stack: error.stack },
    });
  });

  it('carries refs by their addresses', () => {
    const ref: Ref<never> = { path: '/7', tell: () => true };
    expect(codec.encode([ref, ref]).given).toEqual([
      ['ref', 7, '/7'],
      ['ref', 7, '/7'],
    ]);
    expect(carried(new Map([['a', ref]]))).toMatchObject(new Map([['a', { path: '#7' }]]));
  });

  it('that is refused takes its addresses back', () => {
    takenBack.length = 0;
    expect(() => codec.encode([{ path: '/7', tell: () => true }, () => 1])).toThrow();
    expect(takenBack).toEqual([['ref', 7, '/7']]);
  });

  it('may send another while it is read', () => {
    let inner: unknown;
    const outer = {
      get a() {
        inner = carried({ b: [1] });
        return 2;
      },
      c: { d: 3 },
    };
    expect([carried(outer), inner]).toEqual([{ a: 2, c: { d: 3 } }, { b: [1] }]);
  });

  it.each([
    ['a function', { items: [{}, { done: () => 1 }] }, 'message.items[1].done'],
    ['an object of a class', { a: new (class Thing {})() }, 'message.a'],
    ['a symbol', [Symbol('s')], 'message[0]'],
    ['an array with fields beside its items', { a: ['xabc'.match(/(?<g>b)/)] }, 'message.a[0]'],
    ['an array with a function', { a: Object.assign([1], { f: () => 1 }) }, 'message.a'],
    // biome-ignore lint/suspicious/noSparseArray: it is what this is about
    ['an array with a hole', { a: [1, , 3] }, 'message.a'],
    ['an array with a hole for each of its fields', { a: Object.assign(new Array(1), { f: 1 }) }, 'message.a'],
    ['shared memory', { a: new SharedArrayBuffer(1) }, 'message.a'],
    ['a view of shared memory', { a: new Uint8Array(new SharedArrayBuffer(1)) }, 'message.a'],
    ['a field that replaces the prototype', JSON.parse('{"a":{"__proto__":1}}'), 'message.a'],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no');
        },
      },
      'message',
    ],
  ])('is refused for %s, with its place', (_what, value, place) => {
    expect(() => codec.encode(value)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_NOT_PLAIN', message: expect.stringContaining(`\`${place}\``) }),
    );
  });

  it('says what is wrong with an array', () => {
    expect(() => codec.encode(Object.assign([1], { extra: 1 }))).toThrow(
      'got an array with a field named "extra" at `message`. Send `[...array]`',
    );
    expect(() => codec.encode(new Array(2))).toThrow('got an array with a hole at `message`.');
  });

  it('is refused if it holds itself, or too many objects', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => codec.encode(circle)).toThrow('deeper than 64 levels');
    let many: unknown = {};
    for (let level = 0; level < 30; level++) many = [many, many];
    expect(() => codec.encode(many)).toThrow('more than 1000000 objects');
  });
});

describe('hostile bytes', () => {
  it('are refused, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          codec.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  it('are refused when a good message was damaged in one place, or arrive as other plain data', () => {
    const good = codec.encode({ a: [1, 'two', new Map([[3n, new Date(4)]])], b: new Error('x') }).bytes;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = good.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        try {
          codec.encode(codec.decode(bytes));
        } catch (error) {
          expect(codeOf(error)).not.toBe('INTERNAL');
        }
      }),
    );
  });

  it.each([
    ['a list that claims more than there is', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['lists in lists that claim much', Array.from({ length: 10_000 }, () => [0xdd, 0, 0x0f, 0xff, 0xff]).flat()],
    ['lists as deep as there are bytes', [...Array.from({ length: 100_000 }, () => 0x91), 0xc0]],
    ['two values', [1, 2]],
    ['nothing', []],
    ['a type that is not used', [0xc1]],
    ['an extension that there is not', [0xd4, 99, 0]],
    ['a text that ends too soon', [0xa5, 97]],
  ])('of %s are refused at once', (_what, bytes) => {
    expect(() => codec.decode(new Uint8Array(bytes))).toThrow();
  });

  it('of extensions as deep as there is room for are refused', () => {
    let inner: Uint8Array = new Uint8Array([0x90]);
    for (let level = 0; level < 1_000; level++) {
      const outer = new Uint8Array(inner.length + 6);
      outer.set([0xc9, 0, (inner.length >> 16) & 255, (inner.length >> 8) & 255, inner.length & 255, 7]);
      outer.set(inner, 6);
      inner = new Uint8Array([0x91, ...outer]);
    }
    expect(() => codec.decode(inner)).toThrow('deeper');
  });

  it('are whole exactly if MessagePack reads them to their end', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 3 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
        // MessagePack refuses to read that name.
        fc.pre(!hasProto(plain));
        const bytes = pack(plain);
        expect(isWhole(bytes, 64)).toBe(true);
        expect(isWhole(bytes.subarray(0, bytes.length - 1), 64)).toBe(false);
        expect(isWhole(new Uint8Array([...bytes, 0]), 64)).toBe(false);
        expect(() => unpack(bytes)).not.toThrow();
      }),
    );
  });
});

function hasProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Map) return [...value].some((entry) => hasProto(entry));
  if (value instanceof Set) return [...value].some(hasProto);
  return Object.keys(value).includes('__proto__') || Object.values(value).some(hasProto);
}
