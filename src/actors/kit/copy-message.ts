import { fromEnvelope, toEnvelope } from '../../errors.ts';
import { Mailbox, type Sender } from '../mailbox.ts';
import type { Ref } from '../ref.ts';

/**
 * Copies a message as a trip to another thread or host would: plain data is cloned, refs stay the same, errors cross
 * in their envelope. The copy reveals code that relies on sharing memory with the receiver.
 * @throws TypeError that names the place of whatever cannot cross: a function, a symbol, an object of a class
 */
export function copyMessage<M>(message: M): M {
  // The copy has the shape of what it copies.
  return copy(message, 'message') as M;
}

/** A mailbox that copies each message, as if its owner lived elsewhere. */
export class CopyingMailbox<M> extends Mailbox<M> {
  override push(message: M, sender?: Sender): void {
    super.push(copyMessage(message), sender);
  }
}

function copy(value: unknown, where: string): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw cannotTravel(where, typeof value);
  if (typeof value !== 'object' || value === null || isRef(value)) return value;
  if (value instanceof Error) return fromEnvelope(toEnvelope(value));
  if (Array.isArray(value)) return value.map((item, index) => copy(item, `${where}[${index}]`));
  if (value instanceof Map)
    return new Map([...value].map(([k, v]) => [copy(k, where), copy(v, `${where}.get(${String(k)})`)]));
  if (value instanceof Set) return new Set([...value].map((item) => copy(item, where)));
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item, `${where}.${key}`)]));
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date || value instanceof RegExp) {
    return structuredClone(value);
  }
  throw cannotTravel(where, `an object of class ${value.constructor?.name ?? '?'}`);
}

function isRef(value: object): value is Ref<never> {
  return 'path' in value && typeof value.path === 'string' && 'tell' in value && typeof value.tell === 'function';
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function cannotTravel(where: string, what: string): TypeError {
  return new TypeError(`Expected a message of plain data and refs, got ${what} at \`${where}\``);
}
