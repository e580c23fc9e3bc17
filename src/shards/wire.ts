import type { Exit } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';

/**
 * What stands beside a message because a structured clone would not carry it, in groups of four: the keys that lead to
 * its place (the name alone of a field of the message itself, an empty list for the message), its kind, its value, and
 * the path of a ref. These are not objects because cloning a list of small objects takes longer than cloning all of
 * their content in one flat list.
 */
export type Extras = readonly unknown[];

/** What the two ends of a channel tell each other about the refs that they hold of each other's actors. */
export type Op =
  /**
   * @param counts false: only to learn of the end; a failure that nobody else watches still reaches the parent
   * @param again true: for watchers that were told of the last end
   */
  | { readonly op: 'watch'; readonly id: number; readonly counts: boolean; readonly again: boolean }
  | { readonly op: 'unwatch'; readonly id: number }
  /** @param isRepeated true: of an end that was told before, for watchers that came later */
  | { readonly op: 'ended'; readonly id: number; readonly exit: Exit; readonly isRepeated: boolean }
  | { readonly op: 'stop'; readonly id: number; readonly timeoutMs: number | undefined }
  /** A ref is no longer held here; it had been sent `count` times. */
  | { readonly op: 'release'; readonly id: number; readonly count: number }
  /** `count` messages have been taken. */
  | { readonly op: 'ack'; readonly count: number }
  /** The ask behind a ref of a reply will get none. */
  | { readonly op: 'fail'; readonly id: number; readonly error: ErrorEnvelope }
  /** The mailbox of an actor is full, or has room again: proxies and offers wait meanwhile. */
  | { readonly op: 'full' | 'room'; readonly id: number }
  /** For the owner of the channel. */
  | { readonly op: 'event'; readonly event: unknown };

/**
 * `to` is the id of a ref of the receiver (from 1 up), of a placed actor (from -1 down), or `OP`. A message that
 * `waits` does so at the other end until the mailbox has room; any other is refused if it has none.
 */
export type Item = readonly [to: number, message: unknown, extras: Extras | undefined, waits: boolean];

/**
 * Everything that was sent in one turn of the event loop: the parts of its items, one after the other in one flat
 * list.
 */
export type Batch = readonly unknown[];

/** Parts of an item. */
export const PARTS = 4;

/** The address of an `Op`. */
export const OP = 0;

/** The item whose parts begin at `index`. */
export function itemAt(batch: Batch, index: number): Item {
  // Only `BatchWriter` writes batches.
  return [batch[index], batch[index + 1], batch[index + 2], batch[index + 3]] as unknown as Item;
}
