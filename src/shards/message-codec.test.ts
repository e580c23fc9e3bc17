import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyMessage } from '../actors/kit/mod.ts';
import type { Ref } from '../actors/mod.ts';
import { checkPlain, decode, type EncodedMessage, encode, type RefTable } from './message-codec.ts';
import type { RefAddress } from './wire.ts';

/** A table that both sides share: a ref that was encoded under a number is decoded from it. */
class SharedRefs implements RefTable {
  readonly refs: Ref<never>[] = [];

  addressOf(ref: Ref<never>): RefAddress {
    return ['ref', this.refs.push(ref) - 1, ref.path];
  }

  refOf([, id]: RefAddress): Ref<never> {
    return this.refs[id] ?? { path: 'nobody', tell: () => false };
  }
}

function ref(path: string): Ref<never> {
  return { path, tell: () => true };
}

function roundTrip(message: unknown): unknown {
  const refs = new SharedRefs();
  const encoded: EncodedMessage = structuredClone(encode(message, refs));
  return decode(encoded.message, encoded.extras, refs);
}

class Account {
  balance = 1;
}

/** What cannot cross, and the place that the error names. */
const REFUSED: readonly [what: string, message: unknown, path: string][] = [
  ['a function', { a: [{ b: () => 1 }] }, 'message.a[0].b'],
  ['a symbol', { s: Symbol('s') }, 'message.s'],
  ['an object of a class', [new Account()], 'message[0]'],
  ['what is in a map', { m: new Map([['k', { f: () => 1 }]]) }, 'message.m[0][1].f'],
  ['what is in a set', new Set([Symbol('s')]), 'message[0]'],
  ['a promise', { p: Promise.resolve() }, 'message.p'],
  ['the message itself', () => 1, 'message'],
];

describe('an encoded message', () => {
  it('brings plain data, refs and errors, wherever they stand', () => {
    const [a, b] = [ref('/a'), ref('/b')];
    const message = {
      kind: 'x',
      a,
      list: [1, b, [a]],
      map: new Map<unknown, unknown>([
        ['a', a],
        [b, { deep: new Set([a, 1]) }],
      ]),
      when: new Date(7),
      pattern: /x/g,
      nothing: undefined,
      none: null,
      big: 5n,
    };
    expect(roundTrip(message)).toEqual(message);
    expect(roundTrip(a)).toBe(a);
    const error = roundTrip({ error: new RangeError('far', { cause: new Error('why') }) });
    expect(error).toMatchObject({ error: { name: 'RangeError', message: 'far', cause: { message: 'why' } } });
  });

  it('leaves the message of the sender as it was', () => {
    const inner = { to: ref('/a'), n: 1 };
    const message = { inner, list: [inner] };
    roundTrip(message);
    expect(message).toEqual({ inner: { to: inner.to, n: 1 }, list: [inner] });
  });

  it('does not copy what needs no change', () => {
    const message = { a: [1, { b: new Map([[1, 2]]) }] };
    expect(encode(message, new SharedRefs()).message).toBe(message);
  });

  it('of bytes takes those along that are meant, not the memory around them', () => {
    const pool = new Uint8Array(8_192).fill(1);
    const message = {
      part: pool.subarray(10, 13),
      words: new Uint16Array(pool.buffer, 2, 3),
      view: new DataView(pool.buffer, 4, 2),
    };
    // The round trip keeps the shape.
    const { part, words, view } = roundTrip(message) as typeof message;
    expect([part.buffer.byteLength, words.buffer.byteLength, view.buffer.byteLength]).toEqual([3, 6, 2]);
    expect(part).toEqual(new Uint8Array([1, 1, 1]));
    expect(roundTrip(Buffer.from('abc'))).toEqual(new Uint8Array([97, 98, 99]));
  });

  it('brings back whatever plain data it was given', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.date(),
      fc.uint8Array(),
      fc.string().map(ref),
    );
    const tree = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 4, noNullPrototype: true },
        ),
        fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
      ),
    })).value;
    fc.assert(
      fc.property(tree, (message) => {
        expect(roundTrip(message)).toEqual(message);
      }),
    );
  });

  it.each(REFUSED)('refuses %s and names the place', (_what, message, path) => {
    const refs = new SharedRefs();
    expect(() => encode(message, refs)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_NOT_PLAIN', details: expect.objectContaining({ path }) }),
    );
    expect(refs.refs).toEqual([]);
    expect(() => checkPlain(message)).toThrow(`\`${path}\``);
    // The test kit refuses to copy the same things.
    expect(() => copyMessage(message)).toThrow(TypeError);
  });

  it('refuses what refers to itself', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => checkPlain(loop)).toThrow('deeper than 64 levels');
  });
});
