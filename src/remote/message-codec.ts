import { Decoder, Encoder, ExtData, type ExtensionCodecType } from '@msgpack/msgpack';
import { DEPTH_MAX, plainKindOf, type Ref, whatOf } from '../actors/mod.ts';
import { codeOf, type ErrorEnvelope, fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { RefAddress } from '../refs/mod.ts';
import { envelopeOf, reduced } from './envelope.ts';
import {
  bigintBytes,
  bigintOf,
  brokenTextBytes,
  brokenTextOf,
  dateBytes,
  dateOf,
  EXT,
  ownBuffer,
  viewBytes,
  viewOf,
} from './plain-types.ts';
import { isWhole } from './scan.ts';

/** Translates between refs and the addresses under which they cross. */
export interface RefTable {
  addressOf(ref: Ref<never>): RefAddress;
  /** These addresses were in a message that does not go. */
  takeBack(given: readonly RefAddress[]): void;
  /** @throws for an address that means nothing here */
  refOf(address: RefAddress): Ref<never>;
}

/** A message as it crosses. */
export interface EncodedMessage {
  readonly bytes: Uint8Array;
  /** The addresses that it has given away. */
  readonly given: readonly RefAddress[];
}

/** Objects that stand in a message, each counted as often as it does: a small one can hold itself by many ways. */
const OBJECTS_MAX = 1_000_000;
const REMEDY = 'Send the data behind it instead, or the ref of an actor';
const NO_BYTES = new Uint8Array();

function asExtension(value: unknown): ExtData | null {
  return value instanceof ExtData ? value : null;
}

/** One for all links: each has a buffer of kilobytes, and writing takes nothing of a link. */
const encoder = new Encoder<undefined>({
  extensionCodec: { tryToEncode: asExtension, decode: () => undefined },
  maxDepth: DEPTH_MAX + 2,
});

/** Writes messages as MessagePack and reads them. What is sent arrives: MessagePack itself has neither refs, errors, maps nor `undefined`. */
export class MessageCodec {
  readonly #refs: RefTable;
  readonly #decoder: Decoder;
  #given: RefAddress[] = [];
  /** Where the value stands that is being looked at. */
  readonly #at: (string | number)[] = [];
  #budget = 0;
  #isEncoding = false;
  /** Values that are being decoded, each within the one before. */
  #depth = 0;

  constructor(refs: RefTable) {
    this.#refs = refs;
    const extensionCodec: ExtensionCodecType<undefined> = {
      tryToEncode: asExtension,
      decode: (data, type) => this.#restore(data, type),
    };
    this.#decoder = new Decoder({ extensionCodec, keyDecoder: null });
  }

  /** @throws MESSAGE_NOT_PLAIN, naming the place */
  encode(message: unknown): EncodedMessage {
    // A getter in a message may send a message itself.
    if (this.#isEncoding) return new MessageCodec(this.#refs).encode(message);
    this.#isEncoding = true;
    this.#given = [];
    this.#at.length = 0;
    this.#budget = OBJECTS_MAX;
    try {
      return { bytes: this.#bytesOf(message), given: this.#given };
    } catch (error) {
      this.#refs.takeBack(this.#given);
      throw error;
    } finally {
      this.#isEncoding = false;
    }
  }

  /** @throws for bytes that `encode` has not made */
  decode(bytes: Uint8Array): unknown {
    if (this.#depth > DEPTH_MAX) throw new RangeError(`deeper than ${DEPTH_MAX} levels`);
    if (!isWhole(bytes, DEPTH_MAX + 2)) throw new RangeError('not one whole value');
    this.#depth += 1;
    try {
      return this.#decoder.decode(bytes);
    } finally {
      this.#depth -= 1;
    }
  }

  #bytesOf(value: unknown): Uint8Array {
    try {
      return encoder.encode(this.#walk(value));
    } catch (error) {
      if (codeOf(error) === 'MESSAGE_NOT_PLAIN') throw error;
      // A getter has thrown, for example.
      throw refusal(this.#at, `something that cannot be read (${toEnvelope(error).message})`, error);
    }
  }

  /** Checks a value. @returns it, or a copy with the extensions in place of what needs them */
  #walk(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return value.isWellFormed() ? value : new ExtData(EXT.brokenText, brokenTextBytes(value));
      case 'number':
        return Object.is(value, -0) ? MINUS_ZERO : value;
      case 'undefined':
        return UNDEFINED;
      case 'bigint':
        return new ExtData(EXT.bigint, bigintBytes(value));
      case 'function':
      case 'symbol':
        throw refusal(this.#at, `a ${typeof value}`);
      case 'object':
        return value === null ? null : this.#object(value);
      default:
        return value;
    }
  }

  #object(value: object): unknown {
    const at = this.#at;
    const kind = plainKindOf(value);
    // What a ref is: `plainKindOf` has looked.
    if (kind === 'ref') return this.#ref(value as Ref<never>);
    if (at.length >= DEPTH_MAX) throw refusal(at, `something deeper than ${DEPTH_MAX} levels`);
    this.#budget -= 1;
    if (this.#budget < 0) throw refusal(at, `more than ${OBJECTS_MAX} objects`);
    switch (kind) {
      case 'fields':
        // Each kind is what its name says, here and below.
        return this.#fields(value as Fields);
      case 'items':
        // As above.
        return this.#items(value as readonly unknown[]);
      case 'error':
        return new ExtData(EXT.error, this.#envelope(toEnvelope(value)));
      case 'map':
        // As above.
        return new ExtData(EXT.map, this.#within('map', [...(value as Map<unknown, unknown>)].flat(1)));
      case 'set':
        // As above.
        return new ExtData(EXT.set, this.#within('set', [...(value as Set<unknown>)]));
      case 'view':
        // As above.
        return view(value as ArrayBufferView, at);
      case 'buffer':
        // As above.
        return new ExtData(EXT.buffer, new Uint8Array(checkedBuffer(value as ArrayBuffer, at)));
      case 'value':
        if (value instanceof Date) return new ExtData(EXT.date, dateBytes(value));
        // The only other one.
        return new ExtData(EXT.regexp, this.#bytesOf(regexpParts(value as RegExp)));
      case 'shared-buffer':
        throw refusal(at, 'a SharedArrayBuffer');
      case undefined:
        throw refusal(at, whatOf(value));
    }
  }

  /** Its details may have keys or a depth that cannot cross: then it goes without them. */
  #envelope(envelope: ErrorEnvelope): Uint8Array {
    const { length } = this.#at;
    const budget = this.#budget;
    try {
      return this.#bytesOf(envelope);
    } catch {
      this.#at.length = length;
      this.#budget = budget;
      return this.#bytesOf(reduced(envelope));
    }
  }

  #ref(ref: Ref<never>): ExtData {
    const address = this.#refs.addressOf(ref);
    this.#given.push(address);
    return new ExtData(EXT.ref, encoder.encode(address));
  }

  /** The items of a map or a set, which stand one level below it. */
  #within(kind: 'map' | 'set', items: readonly unknown[]): Uint8Array {
    this.#at.push(kind);
    const bytes = this.#bytesOf(items);
    this.#at.pop();
    return bytes;
  }

  #fields(object: Fields): Fields {
    const copy: Fields = {};
    for (const key of Object.keys(object)) {
      // Neither would arrive under its name.
      if (key === '__proto__' || !key.isWellFormed()) {
        throw refusal(this.#at, `a field named ${JSON.stringify(key)}`);
      }
      const field = object[key];
      this.#at.push(key);
      copy[key] = this.#walk(field);
      this.#at.pop();
    }
    return copy;
  }

  #items(array: readonly unknown[]): unknown[] {
    if (array.length > OBJECTS_MAX) throw refusal(this.#at, `a list of ${array.length} items`);
    const keys = Object.keys(array);
    // Indexes come first, in their order.
    if (keys.length !== array.length || (keys.length > 0 && keys.at(-1) !== String(array.length - 1))) {
      const field = keys.find((key) => !isIndex(key));
      const what = field === undefined ? 'a hole' : `a field named ${JSON.stringify(field)}`;
      throw refusal(this.#at, `an array with ${what}`, undefined, 'Send `[...array]`, or an object with these fields');
    }
    return Array.from(array, (item, index) => {
      this.#at.push(index);
      const walked = this.#walk(item);
      this.#at.pop();
      return walked;
    });
  }

  #restore(data: Uint8Array, type: number): unknown {
    switch (type) {
      case EXT.undefined:
        return undefined;
      case EXT.minusZero:
        return -0;
      case EXT.bigint:
        return bigintOf(data);
      case EXT.brokenText:
        return brokenTextOf(data);
      case EXT.date:
        return dateOf(data);
      case EXT.view:
        return viewOf(data);
      case EXT.buffer:
        return ownBuffer(data);
      case EXT.regexp: {
        const [source, flags] = this.#list(data);
        if (typeof source !== 'string' || typeof flags !== 'string') throw new TypeError('no regular expression');
        return new RegExp(source, flags);
      }
      case EXT.map: {
        const parts = this.#list(data);
        return new Map(
          Array.from({ length: parts.length / 2 }, (_, index) => [parts[2 * index], parts[2 * index + 1]]),
        );
      }
      case EXT.set:
        return new Set(this.#list(data));
      case EXT.error:
        return fromEnvelope(envelopeOf(this.decode(data)));
      case EXT.ref:
        return this.#refs.refOf(addressIn(this.#list(data)));
      default:
        throw new TypeError(`no extension has the number ${type}`);
    }
  }

  #list(data: Uint8Array): readonly unknown[] {
    const list = this.decode(data);
    if (!Array.isArray(list)) throw new TypeError('no list');
    return list;
  }
}

type Fields = Record<string, unknown>;
type Path = readonly (string | number)[];

const UNDEFINED = new ExtData(EXT.undefined, NO_BYTES);
const MINUS_ZERO = new ExtData(EXT.minusZero, NO_BYTES);

function view(value: ArrayBufferView, at: Path): ExtData {
  const { buffer } = value;
  if (buffer instanceof SharedArrayBuffer) throw refusal(at, 'a view of a SharedArrayBuffer');
  checkedBuffer(buffer, at);
  const bytes = viewBytes(value);
  if (bytes === undefined) throw refusal(at, whatOf(value));
  return new ExtData(EXT.view, bytes);
}

function checkedBuffer(buffer: ArrayBuffer, at: Path): ArrayBuffer {
  if (buffer.detached) throw refusal(at, 'a detached buffer');
  return buffer;
}

function regexpParts({ source, flags }: RegExp): readonly [string, string] {
  return [source, flags];
}

function addressIn([kind, id, path]: readonly unknown[]): RefAddress {
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new TypeError('no address of a ref');
  if (kind === 'ref' && typeof path === 'string') return [kind, id, path];
  if (kind === 'reply' || kind === 'yours') return [kind, id];
  throw new TypeError('no address of a ref');
}

/** Of an array. */
function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(key);
}

function refusal(at: Path, what: string, cause?: unknown, remedy = REMEDY): ShoalError {
  const path = at.reduce<string>(
    (place, key) => (typeof key === 'number' ? `${place}[${key}]` : `${place}.${key}`),
    'message',
  );
  const text = `Expected a message of plain data and refs, got ${what} at \`${path}\`. ${remedy}`;
  return new ShoalError('MESSAGE_NOT_PLAIN', text, { details: { path, what }, cause });
}
