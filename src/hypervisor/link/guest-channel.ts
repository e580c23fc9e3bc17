import type { LinkMessage } from '../../fleet/mod.ts';

export type LinkRequest = Extract<LinkMessage, { kind: 'request' }>;

/** What a link has of a guest: its connections, in the guest's protocol, until the guest is lost. */
export interface GuestChannel {
  /** The guest has answered. */
  readonly isReady: boolean;
  /** It can take no request now; `drained` follows when it can. */
  readonly isFull: boolean;
  /** Sends a request that it is known by `id & 0xffffffff` from then on. @param operation the name, as bytes */
  request(request: LinkRequest, operation: Uint8Array): void;
  /** Gives up what was sent under that number. */
  cancel(low: number): void;
  /** Requests wait because it is full. */
  lack(): void;
  /** Passes on a line for the guest's console (rule R10). */
  relay(line: string): void;
  /** Asks the guest for a sign of life, so that a loss is noticed. */
  keepAlive(): void;
  /** Asks at once; `pong` follows if the guest answers. */
  ask(): void;
  /** Ends it without another word to its listener. */
  close(): void;
}

/** Told of a channel; after `lost` nothing more comes. */
export interface ChannelListener {
  /** The guest has answered for the first time. */
  ready(): void;
  /** The guest has answered what `ask` asked. */
  pong(): void;
  /** It can take a request again. */
  drained(): void;
  /** @param wasReady whether `ready` came before */
  lost(why: string, wasReady: boolean): void;
  /** A callback threw. */
  failed(error: unknown): void;
}
