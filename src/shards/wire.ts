import type { Exit } from '../actors/mod.ts';
import type { Stowed } from './parcel.ts';

/**
 * What one end of a connection calls a ref that it sends to the other. A tuple, as all that stands in each message: a structured clone
 * writes the names of an object's fields again for each object.
 */
export type RefAddress =
  | readonly [kind: 'ref', id: number, path: string]
  /** Takes one message and is forgotten with it, so nobody has to say that it is not needed any more. */
  | readonly [kind: 'reply', id: number]
  /** One that came from the other end: it comes home. */
  | readonly [kind: 'yours', id: number]
  /** An actor that the other end has placed here: whoever has its ref over there means that one. */
  | readonly [kind: 'placed', id: number];

/** What the two ends of a connection tell each other about the refs that they have of each other's actors. */
export type Op =
  /** @param counts false for one who only wants to know: a failure that nobody watches is not taken for seen by that */
  | { readonly op: 'watch'; readonly id: number; readonly counts: boolean }
  | { readonly op: 'unwatch'; readonly id: number }
  | { readonly op: 'ended'; readonly id: number; readonly exit: Exit }
  | { readonly op: 'stop'; readonly id: number; readonly timeoutMs: number | undefined }
  /** So many mentions of a ref have been forgotten. */
  | { readonly op: 'release'; readonly id: number; readonly count: number }
  /** So many messages have been taken. */
  | { readonly op: 'ack'; readonly count: number }
  /** For whoever owns the connection. */
  | { readonly op: 'news'; readonly news: unknown };

/** `to` is the id of a ref of the receiver (from 1 up), of an actor that was placed on it (from -1 down), or `OP`. */
export type Item = readonly [to: number, message: unknown, stowed: Stowed | undefined];

/** Everything that one turn of the event loop had to say: the parts of one item after the other, in a single list. */
export type Batch = readonly unknown[];

/** Parts of an item. */
export const PARTS = 3;

/** The item that begins at `index`. */
export function itemAt(batch: Batch, index: number): Item {
  // `Outbox` is the only one that writes batches.
  return [batch[index], batch[index + 1], batch[index + 2]] as unknown as Item;
}

export const OP = 0;
