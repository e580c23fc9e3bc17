import type { MessagePort } from 'node:worker_threads';
import type { EncodedMessage } from './message-codec.ts';

/** What the main thread gives a worker thread at its start. */
export interface ShardInit {
  readonly index: number;
  /** The channel: messages of actors, and events. */
  readonly mail: MessagePort;
  /** The control calls, by comlink. */
  readonly control: MessagePort;
  /** Address of the module with the behaviours. */
  readonly module: string;
  readonly options: EncodedMessage;
  readonly beatMs: number;
  /** Shared memory for the shard's `Tally`. */
  readonly tally: SharedArrayBuffer;
}
