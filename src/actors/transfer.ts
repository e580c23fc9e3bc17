import { types } from 'node:util';
import { ShoalError } from '../errors.ts';

/** The buffers that go with a message. */
export interface Going {
  /** The receiver gets them in place of the sender. */
  readonly moved: readonly ArrayBuffer[];
  /** The receiver uses them together with the sender. */
  readonly shared: readonly SharedArrayBuffer[];
}

const NOTHING: Going = { moved: [], shared: [] };
const going = new WeakMap<object, Going>();

/**
 * Marks buffers of a message to go with it to another thread as they are, without a copy. An `ArrayBuffer` moves: it is
 * detached here once the message leaves its thread, and stays as it is if it does not. A `SharedArrayBuffer` is shared:
 * both threads then use the same bytes.
 * @param message an object that contains the buffers, or views of them
 * @returns the message
 * @throws CONFIG_VALUE for what is no buffer, or no message that can hold one
 */
export function transfer<M extends object>(message: M, buffers: readonly ArrayBufferLike[]): M {
  if (typeof message !== 'object' || message === null) throw refused('a message that is an object', message);
  if (!Array.isArray(buffers)) throw refused('a list of buffers', buffers);
  const wrong: unknown = buffers.find((buffer: unknown) => !types.isAnyArrayBuffer(buffer));
  if (wrong !== undefined) throw refused('buffers, such as `bytes.buffer` of a typed array,', wrong);
  // One that stands there twice goes once.
  const all = [...new Set(buffers)];
  going.set(message, {
    moved: all.filter((buffer) => types.isArrayBuffer(buffer)),
    shared: all.filter((buffer) => types.isSharedArrayBuffer(buffer)),
  });
  return message;
}

/** The buffers that were marked to go with a message. */
export function goingWith(message: unknown): Going {
  return typeof message === 'object' && message !== null ? (going.get(message) ?? NOTHING) : NOTHING;
}

function refused(expected: string, got: unknown): ShoalError {
  const what = got === null ? 'null' : typeof got;
  return new ShoalError('CONFIG_VALUE', `Expected \`transfer\` to be given ${expected} got ${what}`);
}
