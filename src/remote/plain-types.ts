import { TYPED_ARRAYS } from '../actors/mod.ts';

/** The kinds of data that MessagePack has no type for: each is an extension of its own. */
export const EXT = {
  undefined: 0,
  minusZero: 1,
  bigint: 2,
  /** A text with halves of characters, which UTF-8 cannot hold. */
  brokenText: 3,
  date: 4,
  regexp: 5,
  map: 6,
  set: 7,
  view: 8,
  buffer: 9,
  error: 10,
  ref: 11,
} as const;

/** The number of a `DataView` on the wire. That of a typed array is its place in the list. */
const DATA_VIEW = TYPED_ARRAYS.length;

/** One byte for the kind of view, then its own bytes: not those around it in its buffer. */
export function viewBytes(view: ArrayBufferView): Uint8Array | undefined {
  // A Buffer arrives as an `Uint8Array`.
  const kind = view instanceof DataView ? DATA_VIEW : TYPED_ARRAYS.findIndex((maker) => view instanceof maker);
  if (kind === -1) return undefined;
  const bytes = new Uint8Array(view.byteLength + 1);
  bytes[0] = kind;
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 1);
  return bytes;
}

/** @throws for what `viewBytes` has not made */
export function viewOf(bytes: Uint8Array): ArrayBufferView {
  const [kind] = bytes;
  const buffer = ownBuffer(bytes.subarray(1));
  if (kind === DATA_VIEW) return new DataView(buffer);
  const maker = kind === undefined ? undefined : TYPED_ARRAYS[kind];
  if (maker === undefined) throw new TypeError(`no view has the number ${kind}`);
  return new maker(buffer);
}

/**
 * A copy, so that it begins where numbers of any size may, and has no memory around it. `slice` would not do: that of a
 * `Buffer`, as the package `nats` delivers, is a view of the same memory.
 */
export function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

export function bigintBytes(value: bigint): Uint8Array {
  return TEXT.encode(value < 0n ? `-${(-value).toString(16)}` : value.toString(16));
}

/** @throws for what `bigintBytes` has not made */
export function bigintOf(bytes: Uint8Array): bigint {
  const text = TEXT_OF.decode(bytes);
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

export function brokenTextBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf16le'));
}

export function brokenTextOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le');
}

export function dateBytes(date: Date): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, date.getTime());
  return bytes;
}

export function dateOf(bytes: Uint8Array): Date {
  return new Date(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0));
}

const TEXT = new TextEncoder();
const TEXT_OF = new TextDecoder();
