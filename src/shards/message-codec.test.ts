import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyMessage } from '../actors/kit/mod.ts';
import type { Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { RefAddress } from '../refs/mod.ts';
import { checkPlain, decode, type EncodedMessage, encode, type RefTable } from './message-codec.ts';

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

class Cache extends Map<string, number> {}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function withItself(make: (holder: unknown[]) => object): object {
  const holder: unknown[] = [];
  const whole = make(holder);
  holder.push(whole);
  return whole;
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
  ['a subclass of Map', { m: new Cache() }, 'message.m'],
  ['a subclass of Set', { s: new (class extends Set {})() }, 'message.s'],
  ['a subclass of Date', [new (class extends Date {})()], 'message[0]'],
  ['a subclass of Array', { a: new (class extends Array {})() }, 'message.a'],
  ['a subclass of a typed array', { b: new (class extends Float64Array {})(2) }, 'message.b'],
  ['a subclass of RegExp', new (class extends RegExp {})('x'), 'message'],
  ['a proxy that was revoked', { p: revoked() }, 'message.p'],
  ['a proxy of a ref', { p: new Proxy(ref('/a'), {}) }, 'message.p'],
  ['a prototype of its own', { o: Object.create({ constructor: undefined }) }, 'message.o'],
  ['a prototype without a constructor', [Object.create(Object.create(null))], 'message[0]'],
  ['what only looks like a map', { m: Object.create(Map.prototype) }, 'message.m'],
  ['what only looks like a date', { d: Object.create(Date.prototype) }, 'message.d'],
  ['a map of another realm', { m: runInNewContext('new Map()') }, 'message.m'],
  ['shared memory', { m: new SharedArrayBuffer(8) }, 'message.m'],
  ['a view of shared memory', [new Int32Array(new SharedArrayBuffer(8))], 'message[0]'],
];

/** What is refused wherever it is deep inside. */
const ENDLESS: readonly [what: string, message: object][] = [
  ['a map that holds itself', withItself((holder) => new Map([['k', holder]]))],
  ['a map whose key is itself', withItself((holder) => new Map([[holder, 1]]))],
  ['a set that holds itself', withItself((holder) => new Set([holder]))],
  ['a list that holds itself', withItself((holder) => holder)],
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

  it.each(ENDLESS)('refuses %s', (_what, message) => {
    expect(() => checkPlain(message)).toThrow('deeper than 64 levels');
    expect(() => copyMessage(message)).toThrow('deeper than 64 levels');
  });

  it('refuses a getter that throws, with its place and the error', () => {
    const hostile = {
      get field() {
        throw new RangeError('not now');
      },
    };
    const message = new Map([['k', { hostile }]]);
    expect(() => checkPlain(message)).toThrow(
      expect.objectContaining({
        code: 'MESSAGE_NOT_PLAIN',
        message: expect.stringContaining('something that cannot be read (not now) at `message[0][1].hostile`'),
        cause: expect.any(RangeError),
      }),
    );
  });

  it('refuses a list of so many items that they could not be walked', () => {
    // Not one of them is there.
    expect(() => checkPlain({ list: new Array(2 ** 32 - 1) })).toThrow('a list of 4294967295 items at `message.list`');
  });

  it('brings errors whatever was put into them', () => {
    const odd = Object.assign(new Error('x'), { message: () => 1, name: Symbol('name') });
    // JavaScript users pass anything.
    const details = { f: () => 1, n: { deep: 1n } } as unknown as Record<string, string>;
    expect(roundTrip([odd, new ShoalError('VM_GONE', 'gone', { details })])).toMatchObject([
      { message: '() => 1', name: 'Symbol(name)' },
      { code: 'VM_GONE', details: {} },
    ]);
  });

  it('refuses what holds itself by more ways than can be walked', () => {
    let message: object = {};
    for (let level = 0; level < 60; level++) message = { a: message, b: message };
    expect(() => checkPlain(message)).toThrow('more than 1000000 objects');
    expect(() => checkPlain({ next: 'message' })).not.toThrow();
  });

  it('that is refused leaves no address behind, even of refs in a map before', () => {
    const refs = new SharedRefs();
    expect(() => encode([new Map([['a', ref('/a')]]), () => 1], refs)).toThrow('a function');
    expect(refs.refs).toEqual([]);
  });

  it('refuses what refers to itself', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => checkPlain(loop)).toThrow('deeper than 64 levels');
  });
});
