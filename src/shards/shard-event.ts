import type { MessagePort } from 'node:worker_threads';
import type { DeadLetter, ExitReason } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import type { Parcel } from './parcel.ts';

/** What a thread is given when it starts. */
export interface ShardInit {
  readonly index: number;
  readonly mail: MessagePort;
  readonly control: MessagePort;
  /** Address of the module with the behaviours. */
  readonly module: string;
  readonly options: Parcel;
  readonly beatMs: number;
}

/** What a shard says of itself, between the messages of its actors and in order with them. */
export type WorkerNews =
  | { readonly kind: 'beat' }
  /** It can be given actors. */
  | { readonly kind: 'up' }
  | { readonly kind: 'not-up'; readonly error: ErrorEnvelope }
  | { readonly kind: 'actor-ended'; readonly actor: number; readonly reason: ExitReason }
  /** An actor failed that was not placed but spawned by one that was. */
  | { readonly kind: 'failed'; readonly path: string; readonly error: ErrorEnvelope }
  | { readonly kind: 'dead-letter'; readonly letter: DeadLetter };
