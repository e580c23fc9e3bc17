import type { MessagePort } from 'node:worker_threads';
import type { Exit, ExitReason } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { RefAddress as CommonRefAddress } from '../refs/mod.ts';
import type { Side } from './pair-tally.ts';

/** How one end of a channel names a ref that it sends to the other. */
export type RefAddress =
  | CommonRefAddress
  /** A reply on the direct channel of two shards, in a message that goes through the main thread. */
  | readonly [kind: 'direct-reply', id: number];

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
  | { readonly op: 'event'; readonly event: unknown }
  /** The place of the `n`-th mark among the messages of the channel. */
  | { readonly op: 'mark'; readonly n: number }
  /** What follows comes after the `n`-th mark of another channel: that of a peer, or that of the main thread. */
  | { readonly op: 'after'; readonly thread: number | 'main'; readonly n: number }
  | LinkOp;

/** What threads tell each other about the direct channels between shards. Threads have numbers, never the same one twice. */
export type LinkOp =
  /** To a shard: there is a channel to another one from now on. */
  | {
      readonly op: 'peer';
      readonly thread: number;
      readonly name: string;
      readonly port: MessagePort;
      readonly side: Side;
      /** Shared memory for the counts of the pair. */
      readonly tally: SharedArrayBuffer;
    }
  /** To a shard: another one has ended, and all that it had sent through the main thread has come. */
  | { readonly op: 'peer-gone'; readonly thread: number; readonly reason: ExitReason }
  /** To a shard: it may ask for the way to the actor behind a ref, as soon as it has a message for it. */
  | { readonly op: 'may-route'; readonly id: number }
  /** To the main thread: are all messages to the ref, which were sent before this, on their way to the actor? */
  | { readonly op: 'ask-route'; readonly id: number; readonly ask: number }
  | { readonly op: 'no-route'; readonly id: number; readonly ask: number }
  /**
   * To a shard: messages to the ref `id` go to the actor that is placed on `thread` as `actor`. If `n` is given, after
   * the `n`-th mark of the main thread there. It answers a question, or comes before the shard knows the ref.
   */
  | {
      readonly op: 'route';
      readonly id: number;
      readonly thread: number;
      readonly actor: number;
      readonly n: number | undefined;
      readonly ask: number | undefined;
    }
  /** To a shard: they go through the main thread again, because that actor has ended. */
  | { readonly op: 'unroute'; readonly id: number; readonly exit: Exit | undefined }
  /** Between two shards: here belongs the `n`-th message that was sent through the main thread. */
  | { readonly op: 'here'; readonly n: number }
  /** To the main thread, which translates its refs: a message for another shard. */
  | ({ readonly op: 'relay' } & Relayed)
  /** From the main thread: the message, and which shard has sent it. */
  | ({ readonly op: 'relayed' } & Relayed);

/** A message between two shards whose refs only the main thread can translate. */
export interface Relayed {
  /** Of the shard at the other end of the relay. */
  readonly thread: number;
  readonly n: number;
  readonly to: number;
  readonly waits: boolean;
  readonly message: unknown;
  readonly extras: Extras | undefined;
  /** Why the message could not cross, and the replies on the direct channel that will not come; undefined if it did. */
  readonly failed: { readonly why: string; readonly replies: readonly number[] } | undefined;
}

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
