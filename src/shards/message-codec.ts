import { types } from 'node:util';
import type { Ref, Tracing } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { isContext, withContext } from './trace-context.ts';
import type { Extras, RefAddress } from './wire.ts';

const NONE: readonly ArrayBuffer[] = [];
const transferredBuffers = new WeakMap<object, readonly ArrayBuffer[]>();

/**
 * Marks buffers of a message to be given to the thread that the message goes to, without a copy. They are detached once the message leaves
 * its thread, and stay as they are if it does not.
 * @param message an object that contains the buffers, or views of them
 * @returns the message
 */
export function transfer<M extends object>(message: M, buffers: readonly ArrayBuffer[]): M {
  transferredBuffers.set(message, buffers);
  return message;
}

/** The buffers that were marked to go with a message. */
export function transferredWith(message: unknown): readonly ArrayBuffer[] {
  return typeof message === 'object' && message !== null ? (transferredBuffers.get(message) ?? NONE) : NONE;
}

/** A message ready to cross to another thread. */
export interface EncodedMessage {
  /** Plain data, with `null` in the places of the extras. */
  readonly message: unknown;
  readonly extras: Extras | undefined;
}

/** Parts of a group of extras. */
const GROUP = 4;

type KeyPath = readonly (string | number)[];
type Kind = RefAddress[0] | 'error' | 'map' | 'set';

/** Translates between refs and the addresses under which they cross. */
export interface RefTable {
  /** Gives the contexts that messages carry; undefined: they carry none. */
  readonly tracing?: Tracing | undefined;
  addressOf(ref: Ref<never>): RefAddress;
  refOf(address: RefAddress): Ref<never>;
}

/** No message of ours is this deep; one that is usually contains itself. */
const DEPTH_MAX = 64;

/**
 * Makes a message ready to cross. The message itself is not changed.
 * @param transferred the buffers that were marked to go with it
 * @throws MESSAGE_NOT_PLAIN, naming the place
 */
export function encode(message: unknown, refs: RefTable, transferred = transferredWith(message)): EncodedMessage {
  const encoder = idle ?? new Encoder([]);
  // A getter in the message may send a message itself, which then needs an encoder of its own.
  idle = undefined;
  try {
    return withContext(encoder.encode(message, refs, transferred), refs.tracing);
  } finally {
    idle = encoder;
  }
}

/** @throws MESSAGE_NOT_PLAIN for a message that could not cross, naming the place */
export function checkPlain(message: unknown): void {
  encode(message, NO_REFS);
}

export function decode(message: unknown, extras: Extras | undefined, refs: RefTable): unknown {
  if (extras === undefined) return message;
  for (let index = 0; index < extras.length; index += GROUP) {
    // `Encoder` has written these, each kind with its value.
    const at = extras[index] as KeyPath | string;
    const kind = extras[index + 1] as Kind;
    if (isContext(kind)) continue;
    const value = restore(kind, extras[index + 2], extras[index + 3], refs);
    // The encoder followed these keys through objects and arrays, of which this is a copy.
    let holder = message as Record<string | number, unknown>;
    if (typeof at === 'string') {
      holder[at] = value;
      continue;
    }
    const last = at.at(-1);
    if (last === undefined) return value;
    // As above.
    for (const key of at.slice(0, -1)) holder = holder[key] as typeof holder;
    holder[last] = value;
  }
  return message;
}

function decodeWhole({ message, extras }: EncodedMessage, refs: RefTable): unknown {
  return decode(message, extras, refs);
}

const NO_REFS: RefTable = {
  addressOf: () => ['yours', 0],
  refOf: ([, id]) => ({ path: `#${id}`, tell: () => false }),
};

function restore(kind: Kind, value: unknown, path: unknown, refs: RefTable): unknown {
  switch (kind) {
    case 'error':
      // `Encoder` gives each kind its type of value.
      return fromEnvelope(value as ErrorEnvelope);
    case 'map':
      // As above: the entries of a map.
      return new Map(decodeWhole(value as EncodedMessage, refs) as [unknown, unknown][]);
    case 'set':
      // As above: the items of a set.
      return new Set(decodeWhole(value as EncodedMessage, refs) as unknown[]);
    default:
      // The parts of an address.
      return refs.refOf([kind, value, path] as unknown as RefAddress);
  }
}

/** Walks through a message once. It copies only what it must change: the structured clone copies the rest. */
class Encoder {
  /** Where the message stands in a larger one. */
  readonly #root: KeyPath;
  readonly #at: (string | number)[] = [];
  #extras: unknown[] | undefined;
  #transferred: readonly ArrayBuffer[] = NONE;

  constructor(root: KeyPath) {
    this.#root = root;
  }

  encode(value: unknown, refs: RefTable, transferred: readonly ArrayBuffer[]): EncodedMessage {
    this.#transferred = transferred;
    this.#at.length = 0;
    this.#extras = undefined;
    const message = this.#walk(value, refs);
    const extras = this.#taken();
    // Refs get their addresses last, so that a refused message leaves no address behind.
    if (extras !== undefined) giveAddresses(extras, refs);
    return { message, extras };
  }

  /** Reads the field again: the compiler does not see that the walk has changed it. */
  #taken(): unknown[] | undefined {
    return this.#extras;
  }

  #walk(value: unknown, refs: RefTable): unknown {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol') throw this.#refusal(`a ${typeof value}`);
      return value;
    }
    if (isRef(value)) return this.#putAside('ref', value);
    if (this.#at.length === DEPTH_MAX) throw this.#refusal(`something deeper than ${DEPTH_MAX} levels`);
    // A structured clone would fail at it, when the sender has gone on.
    if (types.isProxy(value)) throw this.#refusal('a Proxy');
    if (Array.isArray(value)) return this.#items(value, refs);
    const prototype: unknown = Object.getPrototypeOf(value);
    // The walk checks each field.
    if (prototype === Object.prototype || prototype === null) return this.#fields(value as Fields, refs);
    if (value instanceof Error) return this.#putAside('error', toEnvelope(value));
    if (value instanceof Map) return this.#map(value, refs);
    if (value instanceof Set) return this.#set(value, refs);
    if (ArrayBuffer.isView(value)) {
      if (isDetached(value.buffer)) throw this.#refusal('a view of a detached buffer');
      return ownBytes(value, this.#transferred);
    }
    if (value instanceof ArrayBuffer) {
      if (isDetached(value)) throw this.#refusal('a detached buffer');
      return value;
    }
    if (value instanceof SharedArrayBuffer || value instanceof Date || value instanceof RegExp) return value;
    throw this.#refusal(`an object of class ${value.constructor?.name ?? '?'}`);
  }

  #fields(object: Fields, refs: RefTable): Fields {
    let copy: Fields | undefined;
    for (const key of Object.keys(object)) {
      const field = object[key];
      if (isSimple(field)) continue;
      this.#at.push(key);
      const walked = this.#walk(field, refs);
      this.#at.pop();
      if (walked === field) continue;
      copy ??= { ...object };
      copy[key] = walked;
    }
    return copy ?? object;
  }

  #items(array: readonly unknown[], refs: RefTable): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < array.length; index++) {
      const item = array[index];
      if (isSimple(item)) continue;
      this.#at.push(index);
      const walked = this.#walk(item, refs);
      this.#at.pop();
      if (walked === item) continue;
      copy ??= [...array];
      copy[index] = walked;
    }
    return copy ?? array;
  }

  #map(map: ReadonlyMap<unknown, unknown>, refs: RefTable): unknown {
    const entries = [...map];
    const encoded = new Encoder([...this.#root, ...this.#at]).encode(entries, refs, NONE);
    if (encoded.extras === undefined && encoded.message === entries) return map;
    return this.#putAside('map', encoded);
  }

  #set(set: ReadonlySet<unknown>, refs: RefTable): unknown {
    const items = [...set];
    const encoded = new Encoder([...this.#root, ...this.#at]).encode(items, refs, NONE);
    if (encoded.extras === undefined && encoded.message === items) return set;
    return this.#putAside('set', encoded);
  }

  /** Puts something among the extras. @returns the placeholder that stands in the message */
  #putAside(kind: Kind, value: unknown): null {
    const first = this.#at[0];
    const at = this.#at.length === 1 && typeof first === 'string' ? first : [...this.#at];
    this.#extras ??= [];
    this.#extras.push(at, kind, value, undefined);
    return null;
  }

  #refusal(what: string): ShoalError {
    const path = [...this.#root, ...this.#at].reduce<string>(
      (place, key) => (typeof key === 'number' ? `${place}[${key}]` : `${place}.${key}`),
      'message',
    );
    return new ShoalError(
      'MESSAGE_NOT_PLAIN',
      `Expected a message of plain data and refs, got ${what} at \`${path}\`. Send the data behind it instead, or the ref of an actor`,
      { details: { path, what } },
    );
  }
}

/** Its memory was given away. */
function isDetached(buffer: ArrayBufferLike): boolean {
  return buffer instanceof ArrayBuffer && buffer.detached;
}

/** One encoder serves all messages in turn: one for each would be garbage at once. */
let idle: Encoder | undefined;

function giveAddresses(extras: unknown[], refs: RefTable): void {
  for (let index = 0; index < extras.length; index += GROUP) {
    if (extras[index + 1] !== 'ref') continue;
    // `#walk` has put it there.
    const address = refs.addressOf(extras[index + 2] as Ref<never>);
    extras[index + 1] = address[0];
    extras[index + 2] = address[1];
    extras[index + 3] = address[2];
  }
}

type Fields = Record<string, unknown>;

function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}

function isRef(value: object): value is Ref<never> {
  return 'tell' in value && typeof value.tell === 'function' && 'path' in value && typeof value.path === 'string';
}

/**
 * A clone takes along all memory that a view is part of: for a small Buffer that is Node's pool of 8 KiB, with other
 * data in it.
 */
function ownBytes(view: ArrayBufferView, transferred: readonly ArrayBuffer[]): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view;
  // Memory that threads share stays shared.
  if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) return view;
  if (transferred.includes(buffer)) return view;
  if (view instanceof DataView) return new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
  if (view instanceof Uint8Array) return new Uint8Array(view);
  // All views but DataView are typed arrays, and each makes its own kind of copy.
  return (view as Float64Array).slice();
}
