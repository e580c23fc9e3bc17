import { isMarkedAsUntransferable } from 'node:worker_threads';
import {
  DEPTH_MAX,
  type Going,
  goingWith,
  plainKindOf,
  type Ref,
  type Tracing,
  transfer,
  whatOf,
} from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import { isContext, withContext } from './trace-context.ts';
import type { Extras, RefAddress } from './wire.ts';

/** A message ready to cross to another thread. */
export interface EncodedMessage {
  /** Plain data, with `null` in the places of the extras. */
  readonly message: unknown;
  readonly extras: Extras | undefined;
}

/** Parts of a group of extras. */
const GROUP = 4;

type KeyPath = readonly (string | number)[];
type Kind = RefAddress[0] | 'error' | 'map' | 'set' | 'shared';

/** Translates between refs and the addresses under which they cross. */
export interface RefTable {
  /** Gives the contexts that messages carry; undefined: they carry none. */
  readonly tracing?: Tracing | undefined;
  addressOf(ref: Ref<never>): RefAddress;
  refOf(address: RefAddress): Ref<never>;
}

/** Objects that stand in a message, each counted as often as it does: a small one can hold itself by many ways. */
const OBJECTS_MAX = 1_000_000;

/**
 * Makes a message ready to cross. The message itself is not changed.
 * @param going the buffers that were marked to go with it
 * @throws MESSAGE_NOT_PLAIN, naming the place
 */
export function encode(message: unknown, refs: RefTable, going = goingWith(message)): EncodedMessage {
  const encoder = idle ?? new Encoder([], { left: OBJECTS_MAX });
  // A getter in the message may send a message itself, which then needs an encoder of its own.
  idle = undefined;
  try {
    const encoded = encoder.encode(message, refs, going);
    return withContext(going.shared.length === 0 ? encoded : withShared(encoded, going.shared), refs.tracing);
  } finally {
    encoder.budget.left = OBJECTS_MAX;
    idle = encoder;
  }
}

/** The ids of the sender's own refs in a message, each as often as it stands there. */
export function idsIn(kind: 'ref' | 'reply' | 'direct-reply', extras: Extras | undefined): readonly number[] {
  const ids: number[] = [];
  for (let index = 0; index < (extras?.length ?? 0); index += GROUP) {
    const found = extras?.[index + 1];
    const value = extras?.[index + 2];
    // Each kind has its type of value.
    if (found === kind) ids.push(value as number);
    // As above.
    if (found === 'map' || found === 'set') ids.push(...idsIn(kind, (value as EncodedMessage).extras));
  }
  return ids;
}

/** @throws MESSAGE_NOT_PLAIN for a message that could not cross, naming the place */
export function checkPlain(message: unknown): void {
  encode(message, NO_REFS);
}

export function decode(message: unknown, extras: Extras | undefined, refs: RefTable): unknown {
  if (extras === undefined) return message;
  let whole = message;
  for (let index = 0; index < extras.length; index += GROUP) {
    // `Encoder` has written these, each kind with its value.
    const at = extras[index] as KeyPath | string;
    const kind = extras[index + 1] as Kind;
    if (isContext(kind)) continue;
    if (kind === 'shared') {
      // Whoever receives it may send it on as it is, for example to an actor on a third thread.
      transfer(whole as object, extras[index + 2] as readonly SharedArrayBuffer[]);
      continue;
    }
    const value = restore(kind, extras[index + 2], extras[index + 3], refs);
    // The encoder followed these keys through objects and arrays, of which this is a copy.
    let holder = whole as Record<string | number, unknown>;
    if (typeof at === 'string') {
      holder[at] = value;
      continue;
    }
    const last = at.at(-1);
    if (last === undefined) {
      whole = value;
      continue;
    }
    // As above.
    for (const key of at.slice(0, -1)) holder = holder[key] as typeof holder;
    holder[last] = value;
  }
  return whole;
}

function withShared({ message, extras = [] }: EncodedMessage, shared: readonly SharedArrayBuffer[]): EncodedMessage {
  return { message, extras: [...extras, [], 'shared', shared, undefined] };
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

/** V8 keeps longer lists as tables, mostly of holes: one that is empty may have a length of 4 thousand million. */
const ITEMS_MAX = 2 ** 25;

/** A message whose refs have no addresses yet. */
interface RawMessage {
  readonly message: unknown;
  readonly extras: unknown[] | undefined;
}

const NOTHING: Going = { moved: [], shared: [] };
const REMEDY = 'Send the data behind it instead, or the ref of an actor';

/** How many more objects may be walked through. */
interface Budget {
  left: number;
}

/** Walks through a message once. It copies only what it must change: the structured clone copies the rest. */
class Encoder {
  /** One encoder and those for the maps and sets of its message have one. */
  readonly budget: Budget;
  /** Where the message stands in a larger one. */
  readonly #root: KeyPath;
  readonly #at: (string | number)[] = [];
  #extras: unknown[] | undefined;
  #going = NOTHING;
  /** Those of the buffers to be moved that were not met yet. */
  #unmet: Set<unknown> | undefined;

  constructor(root: KeyPath, budget: Budget) {
    this.#root = root;
    this.budget = budget;
  }

  encode(value: unknown, refs: RefTable, going: Going): EncodedMessage {
    const { moved } = going;
    const encoded = this.#encode(value, refs, going, moved.length === 0 ? undefined : new Set(moved));
    if (this.#isAnyUnmet()) throw this.#refusal('no place for a buffer that is to move with it');
    // Refs get their addresses last, so that a refused message leaves no address behind.
    if (encoded.extras !== undefined) giveAddresses(encoded.extras, refs);
    return encoded;
  }

  #encode(value: unknown, refs: RefTable, going: Going, unmet: Set<unknown> | undefined): RawMessage {
    this.#going = going;
    this.#unmet = unmet;
    this.#at.length = 0;
    this.#extras = undefined;
    try {
      const message = this.#walk(value, refs);
      return { message, extras: this.#taken() };
    } catch (error) {
      if (codeOf(error) === 'MESSAGE_NOT_PLAIN') throw error;
      // A getter has thrown, for example.
      throw this.#refusal(`something that cannot be read (${toEnvelope(error).message})`, undefined, error);
    }
  }

  // These read fields again: the compiler does not see that the walk has changed them.

  #taken(): unknown[] | undefined {
    return this.#extras;
  }

  #isAnyUnmet(): boolean {
    return this.#unmet !== undefined && this.#unmet.size > 0;
  }

  #walk(value: unknown, refs: RefTable): unknown {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol') throw this.#refusal(`a ${typeof value}`);
      return value;
    }
    const kind = plainKindOf(value);
    if (kind === 'ref') return this.#putAside('ref', value);
    if (this.#root.length + this.#at.length >= DEPTH_MAX) {
      throw this.#refusal(`something deeper than ${DEPTH_MAX} levels`);
    }
    this.budget.left -= 1;
    if (this.budget.left < 0) throw this.#refusal(`more than ${OBJECTS_MAX} objects`);
    switch (kind) {
      case 'fields':
        // Each kind is what its name says, here and below.
        return this.#fields(value as Fields, refs);
      case 'items':
        // As above.
        return this.#items(value as readonly unknown[], refs);
      case 'error':
        return this.#putAside('error', toEnvelope(value));
      case 'map':
        // As above.
        return this.#collection('map', value as Map<unknown, unknown>, refs);
      case 'set':
        // As above.
        return this.#collection('set', value as Set<unknown>, refs);
      case 'view': {
        // As above.
        const view = value as ArrayBufferView;
        this.#checkBuffer(view.buffer, 'a view of ');
        return ownBytes(view, this.#going.moved);
      }
      case 'buffer':
      case 'shared-buffer':
        // As above.
        this.#checkBuffer(value as ArrayBufferLike, '');
        return value;
      case 'value':
        return value;
      case undefined:
        throw this.#refusal(whatOf(value));
    }
  }

  #checkBuffer(buffer: ArrayBufferLike, viewOf: 'a view of ' | ''): void {
    const { moved, shared } = this.#going;
    if (buffer instanceof SharedArrayBuffer) {
      if (shared.includes(buffer)) return;
      const what = viewOf === '' ? 'a SharedArrayBuffer' : `${viewOf}a SharedArrayBuffer`;
      throw this.#refusal(what, 'To share its memory with the other thread, send `transfer(message, [buffer])`');
    }
    if (buffer.detached) throw this.#refusal(`${viewOf}a detached buffer`);
    if (!moved.includes(buffer)) return;
    if (isMarkedAsUntransferable(buffer)) {
      const remedy = 'Copy it first: the small buffers of `Buffer.from` share the memory of a pool';
      throw this.#refusal(`${viewOf}a buffer that cannot be moved`, remedy);
    }
    this.#unmet?.delete(buffer);
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
    if (array.length > ITEMS_MAX) throw this.#refusal(`a list of ${array.length} items`);
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

  #collection(kind: 'map' | 'set', collection: Iterable<unknown>, refs: RefTable): unknown {
    const items = [...collection];
    const encoder = new Encoder([...this.#root, ...this.#at], this.budget);
    const encoded = encoder.#encode(items, refs, this.#going, this.#unmet);
    if (encoded.extras === undefined && encoded.message === items) return collection;
    return this.#putAside(kind, encoded);
  }

  /** Puts something among the extras. @returns the placeholder that stands in the message */
  #putAside(kind: Kind, value: unknown): null {
    const first = this.#at[0];
    const at = this.#at.length === 1 && typeof first === 'string' ? first : [...this.#at];
    this.#extras ??= [];
    this.#extras.push(at, kind, value, undefined);
    return null;
  }

  #refusal(what: string, remedy = REMEDY, cause?: unknown): ShoalError {
    const path = [...this.#root, ...this.#at].reduce<string>(
      (place, key) => (typeof key === 'number' ? `${place}[${key}]` : `${place}.${key}`),
      'message',
    );
    const text = `Expected a message of plain data and refs, got ${what} at \`${path}\`. ${remedy}`;
    return new ShoalError('MESSAGE_NOT_PLAIN', text, { details: { path, what }, cause });
  }
}

/** One encoder serves all messages in turn: one for each would be garbage at once. */
let idle: Encoder | undefined;

function giveAddresses(extras: unknown[], refs: RefTable): void {
  for (let index = 0; index < extras.length; index += GROUP) {
    const kind = extras[index + 1];
    if (kind === 'map' || kind === 'set') {
      // `#collection` has put it there.
      const inner = (extras[index + 2] as RawMessage).extras;
      if (inner !== undefined) giveAddresses(inner, refs);
    }
    if (kind !== 'ref') continue;
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

/**
 * A clone takes along all memory that a view is part of: for a small Buffer that is Node's pool of 8 KiB, with other
 * data in it.
 */
function ownBytes(view: ArrayBufferView, moved: readonly ArrayBuffer[]): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view;
  // Memory that threads share stays shared.
  if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) return view;
  if (moved.includes(buffer)) return view;
  if (view instanceof DataView) return new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
  if (view instanceof Uint8Array) return new Uint8Array(view);
  // All views but DataView are typed arrays, and each makes its own kind of copy.
  return (view as Float64Array).slice();
}
