import type { Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { RefAddress } from './wire.ts';

/** A message as it crosses between threads: what a structured clone would not carry stands beside it, with its place. */
export interface Parcel {
  readonly message: unknown;
  readonly stowed: Stowed | undefined;
}

/**
 * Groups of four: the way to the place, from the message down (as a rule one field's name; empty for the message itself), then kind,
 * value, and the path of a ref. Not in objects: a clone of a list of small things takes longer than that of all their content in one.
 */
export type Stowed = readonly unknown[];

const GROUP = 4;

type Way = readonly (string | number)[];
type Kind = RefAddress[0] | 'error' | 'map' | 'set';

/** Who knows the refs on either side. */
export interface RefBook {
  addressOf(ref: Ref<never>): RefAddress;
  refOf(address: RefAddress): Ref<never>;
}

/** Deeper than any message of ours; what is deeper is as a rule a thing that refers to itself. */
const DEPTH_MAX = 64;

/** Makes a message ready to cross. The message itself is not changed. @throws MESSAGE_NOT_PLAIN, naming the place */
export function pack(message: unknown, book: RefBook): Parcel {
  const packer = idle ?? new Packer([]);
  // A message that has a getter which sends one: that needs a packer of its own.
  idle = undefined;
  try {
    return packer.pack(message, book);
  } finally {
    idle = packer;
  }
}

/** @throws MESSAGE_NOT_PLAIN for a message that could not cross, naming the place */
export function checkPlain(message: unknown): void {
  pack(message, NO_BOOK);
}

export function unpack(message: unknown, stowed: Stowed | undefined, book: RefBook): unknown {
  if (stowed === undefined) return message;
  for (let index = 0; index < stowed.length; index += GROUP) {
    // `Packer` has written these, and what goes with each kind.
    const at = stowed[index] as Way | string;
    const kind = stowed[index + 1] as Kind;
    const value = restore(kind, stowed[index + 2], stowed[index + 3], book);
    // The sender walked this way through objects and arrays; what we got is a copy of these.
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

function unpackParcel({ message, stowed }: Parcel, book: RefBook): unknown {
  return unpack(message, stowed, book);
}

const NO_BOOK: RefBook = {
  addressOf: () => ['yours', 0],
  refOf: ([, id]) => ({ path: `#${id}`, tell: () => false }),
};

function restore(kind: Kind, value: unknown, path: unknown, book: RefBook): unknown {
  switch (kind) {
    case 'error':
      // Each kind has the value that `Packer` gives it.
      return fromEnvelope(value as ErrorEnvelope);
    case 'map':
      // As above: the entries of a map.
      return new Map(unpackParcel(value as Parcel, book) as [unknown, unknown][]);
    case 'set':
      // As above.
      return new Set(unpackParcel(value as Parcel, book) as unknown[]);
    default:
      // An address, in its parts.
      return book.refOf([kind, value, path] as unknown as RefAddress);
  }
}

/** Walks through a message once. What need not be changed is not copied: the structured clone does that. */
class Packer {
  /** Where the message stands in a larger one. */
  readonly #root: Way;
  readonly #at: (string | number)[] = [];
  #stowed: unknown[] | undefined;

  constructor(root: Way) {
    this.#root = root;
  }

  pack(value: unknown, book: RefBook): Parcel {
    this.#at.length = 0;
    this.#stowed = undefined;
    const message = this.#walk(value, book);
    const stowed = this.#taken();
    // Only now: of a message that is refused nothing may be left behind.
    if (stowed !== undefined) giveAddresses(stowed, book);
    return { message, stowed };
  }

  /** Read anew after the walk, which has changed it. */
  #taken(): unknown[] | undefined {
    return this.#stowed;
  }

  #walk(value: unknown, book: RefBook): unknown {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol') throw this.#refusal(`a ${typeof value}`);
      return value;
    }
    if (isRef(value)) return this.#stow('ref', value);
    if (this.#at.length === DEPTH_MAX) throw this.#refusal(`something deeper than ${DEPTH_MAX} levels`);
    if (Array.isArray(value)) return this.#items(value, book);
    const prototype: unknown = Object.getPrototypeOf(value);
    // Its fields are looked at as whatever they are.
    if (prototype === Object.prototype || prototype === null) return this.#fields(value as Fields, book);
    if (value instanceof Error) return this.#stow('error', toEnvelope(value));
    if (value instanceof Map) return this.#map(value, book);
    if (value instanceof Set) return this.#set(value, book);
    if (ArrayBuffer.isView(value)) return ownBytes(value);
    if (value instanceof ArrayBuffer || value instanceof Date || value instanceof RegExp) return value;
    throw this.#refusal(`an object of class ${value.constructor?.name ?? '?'}`);
  }

  #fields(object: Fields, book: RefBook): Fields {
    let copy: Fields | undefined;
    for (const key of Object.keys(object)) {
      const field = object[key];
      if (isSimple(field)) continue;
      this.#at.push(key);
      const walked = this.#walk(field, book);
      this.#at.pop();
      if (walked === field) continue;
      copy ??= { ...object };
      copy[key] = walked;
    }
    return copy ?? object;
  }

  #items(array: readonly unknown[], book: RefBook): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < array.length; index++) {
      const item = array[index];
      if (isSimple(item)) continue;
      this.#at.push(index);
      const walked = this.#walk(item, book);
      this.#at.pop();
      if (walked === item) continue;
      copy ??= [...array];
      copy[index] = walked;
    }
    return copy ?? array;
  }

  #map(map: ReadonlyMap<unknown, unknown>, book: RefBook): unknown {
    const entries = [...map];
    const parcel = new Packer([...this.#root, ...this.#at]).pack(entries, book);
    if (parcel.stowed === undefined && parcel.message === entries) return map;
    return this.#stow('map', parcel);
  }

  #set(set: ReadonlySet<unknown>, book: RefBook): unknown {
    const items = [...set];
    const parcel = new Packer([...this.#root, ...this.#at]).pack(items, book);
    if (parcel.stowed === undefined && parcel.message === items) return set;
    return this.#stow('set', parcel);
  }

  /** Puts something beside the message. @returns what stands in its place meanwhile */
  #stow(kind: Kind, value: unknown): null {
    const first = this.#at[0];
    const at = this.#at.length === 1 && typeof first === 'string' ? first : [...this.#at];
    this.#stowed ??= [];
    this.#stowed.push(at, kind, value, undefined);
    return null;
  }

  #refusal(what: string): ShoalError {
    const path = [...this.#root, ...this.#at].reduce<string>(
      (way, key) => (typeof key === 'number' ? `${way}[${key}]` : `${way}.${key}`),
      'message',
    );
    return new ShoalError(
      'MESSAGE_NOT_PLAIN',
      `Expected a message of plain data and refs, got ${what} at \`${path}\`. Send what it stands for instead, or the ref of an actor`,
      { details: { path, what } },
    );
  }
}

/** One for all messages, each in its turn: what is made for a message alone is garbage at once. */
let idle: Packer | undefined;

function giveAddresses(stowed: unknown[], book: RefBook): void {
  for (let index = 0; index < stowed.length; index += GROUP) {
    if (stowed[index + 1] !== 'ref') continue;
    // `#walk` has put it there.
    const address = book.addressOf(stowed[index + 2] as Ref<never>);
    stowed[index + 1] = address[0];
    stowed[index + 2] = address[1];
    stowed[index + 3] = address[2];
  }
}

type Fields = Record<string, unknown>;

function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}

function isRef(value: object): value is Ref<never> {
  return 'tell' in value && typeof value.tell === 'function' && 'path' in value && typeof value.path === 'string';
}

/** A clone takes the whole memory along that a view looks at: for a small Buffer, Node's pool of 8 KiB with what others have in it. */
function ownBytes(view: ArrayBufferView): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view;
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) return view;
  if (view instanceof DataView) return new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
  if (view instanceof Uint8Array) return new Uint8Array(view);
  // All views but DataView are typed arrays, and each makes its own kind of copy.
  return (view as Float64Array).slice();
}
