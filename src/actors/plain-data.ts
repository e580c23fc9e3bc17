import { types } from 'node:util';
import type { Ref } from './ref.ts';

/** What an object is to those who copy messages. */
export type PlainKind =
  | 'ref'
  | 'fields'
  | 'items'
  | 'map'
  | 'set'
  | 'error'
  | 'view'
  | 'buffer'
  | 'shared-buffer'
  | 'value';

/** No message of ours is this deep; one that is usually contains itself. */
export const DEPTH_MAX = 64;

/** Hosts send the place of a class in this list, so it may only grow at its end. */
export const TYPED_ARRAYS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
/** A `Buffer` arrives as an `Uint8Array`. */
const MAKERS_OF_VIEWS = [...TYPED_ARRAYS, DataView, Buffer];
/** The prototype of a `Float16Array`, which the types do not know yet. */
const FLOAT16: unknown = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array')?.value?.prototype;
const VIEWS = new Set<unknown>([...MAKERS_OF_VIEWS.map(({ prototype }) => prototype), FLOAT16]);

/**
 * The rule for messages: refs, plain objects, and objects of the classes that a structured clone keeps. A subclass of these
 * would arrive as its base. Errors of all classes are taken, because they cross in an envelope.
 * @returns undefined for what is no plain data
 */
export function plainKindOf(value: object): PlainKind | undefined {
  // Before anything is read of it: one that is revoked throws at each look.
  if (types.isProxy(value)) return undefined;
  if (isRef(value)) return 'ref';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) return prototype === Array.prototype ? 'items' : undefined;
  if (prototype === Object.prototype || prototype === null) return 'fields';
  if (value instanceof Error) return 'error';
  // By what they are, because anything may have the prototype of a map.
  if (types.isMap(value)) return prototype === Map.prototype ? 'map' : undefined;
  if (types.isSet(value)) return prototype === Set.prototype ? 'set' : undefined;
  if (ArrayBuffer.isView(value)) return VIEWS.has(prototype) ? 'view' : undefined;
  if (types.isArrayBuffer(value)) return prototype === ArrayBuffer.prototype ? 'buffer' : undefined;
  if (types.isSharedArrayBuffer(value)) return prototype === SharedArrayBuffer.prototype ? 'shared-buffer' : undefined;
  if (types.isDate(value)) return prototype === Date.prototype ? 'value' : undefined;
  if (types.isRegExp(value)) return prototype === RegExp.prototype ? 'value' : undefined;
  return undefined;
}

function isRef(value: object): value is Ref<never> {
  return 'tell' in value && typeof value.tell === 'function' && 'path' in value && typeof value.path === 'string';
}

/** What `plainKindOf` does not take, for errors. Never throws. */
export function whatOf(value: object): string {
  if (types.isProxy(value)) return 'a Proxy';
  try {
    const made: unknown = value.constructor;
    if (typeof made !== 'function' || made.name === '') return 'an object with a prototype of its own';
    const own: unknown = Object.getOwnPropertyDescriptor(globalThis, made.name)?.value;
    // Such as that of a `vm` context.
    if (own !== undefined && own !== made) return `an object of class ${made.name} of another realm`;
    const base: unknown = Object.getPrototypeOf(made);
    const isSubclass = typeof base === 'function' && base.name !== '';
    return `an object of class ${made.name}${isSubclass ? `, a subclass of ${base.name}` : ''}`;
  } catch {
    return 'an object that cannot be read';
  }
}
