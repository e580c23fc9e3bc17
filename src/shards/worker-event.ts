import type { DeadLetter, ExitReason } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';

/** What a worker thread tells the main thread about itself, in order with the messages of its actors. */
export type WorkerEvent =
  /** @param bufferBytes memory outside of the heap, in array buffers */
  | { readonly kind: 'beat'; readonly bufferBytes: number }
  /** Actors can be placed on it. */
  | { readonly kind: 'up' }
  | { readonly kind: 'not-up'; readonly error: ErrorEnvelope }
  /** What the shard has sent to others up to these marks comes before the next event. */
  | { readonly kind: 'said'; readonly marks: readonly (readonly [thread: number, n: number])[] }
  /** It has received all from another shard that is gone. */
  | { readonly kind: 'peer-closed'; readonly thread: number }
  | { readonly kind: 'actor-ended'; readonly actor: number; readonly reason: ExitReason }
  /** An actor failed that was spawned by a placed one. */
  | { readonly kind: 'failed'; readonly path: string; readonly error: ErrorEnvelope }
  | { readonly kind: 'dead-letter'; readonly letter: DeadLetter };
