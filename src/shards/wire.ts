import type { Exit } from '../actors/mod.ts';
import type { Stowed } from './parcel.ts';

/** What one end of a connection calls a ref that it sends to the other. */
export type RefAddress =
  | { readonly kind: 'ref'; readonly id: number; readonly path: string }
  /** Takes one message and is forgotten with it, so nobody has to say that it is not needed any more. */
  | { readonly kind: 'reply'; readonly id: number; readonly path: string }
  /** One that came from the other end: it comes home. */
  | { readonly kind: 'yours'; readonly id: number }
  /** An actor that the other end has placed here: whoever has its ref over there means that one. */
  | { readonly kind: 'placed'; readonly id: number };

/** What the two ends of a connection tell each other about the refs that they have of each other's actors. */
export type Op =
  | { readonly op: 'watch'; readonly id: number }
  | { readonly op: 'unwatch'; readonly id: number }
  | { readonly op: 'ended'; readonly id: number; readonly exit: Exit }
  | { readonly op: 'stop'; readonly id: number; readonly timeoutMs: number | undefined }
  /** So many mentions of a ref have been forgotten. */
  | { readonly op: 'release'; readonly id: number; readonly count: number }
  /** So many messages have been taken. */
  | { readonly op: 'ack'; readonly count: number }
  /** For whoever owns the connection. */
  | { readonly op: 'news'; readonly news: unknown };

/**
 * One entry of a batch. `to` is the id of a ref of the receiver (from 1 up), of an actor that was placed on it (from -1 down), or `OP`.
 * Tuples, since a structured clone writes the names of an object's fields again for each object.
 */
export type Item = readonly [to: number, message: unknown, stowed?: readonly Stowed[]];

/** Everything that one turn of the event loop had to say. */
export type Batch = readonly Item[];

export const OP = 0;
