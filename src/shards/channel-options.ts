import type { MessagePort } from 'node:worker_threads';
import type { ActorSystem, Ref } from '../actors/mod.ts';
import type { ChannelTally } from './pair-tally.ts';
import type { LinkOp, Op } from './wire.ts';

export interface ChannelOptions {
  readonly port: MessagePort;
  readonly system: ActorSystem;
  /** The name of the other end in dead letters and errors. */
  readonly peer: string;
  /** The id of an actor that the other end has placed here; undefined for any other. */
  readonly placedIdOf: (ref: Ref<never>) => number | undefined;
  /** The actor with the id of a placed one: on a shard the actor itself, on the main thread its proxy. */
  readonly placed: (id: number) => Ref<never> | undefined;
  readonly onEvent: (event: unknown) => void;
  /** Told of each batch that arrives: a sign of life. */
  readonly onHeard?: () => void;
  /** Counts what happens to messages, if this end is a shard's. */
  readonly tally?: ChannelTally;
  /** Whether messages may be taken; they wait meanwhile. Default: always. */
  readonly mayTake?: () => boolean;
  /** While they may not be: calls back once they may, perhaps. @returns how to cancel it */
  readonly onMayTake?: (callback: () => void) => () => void;
  /** What must come before an op is obeyed; undefined if nothing must, or it has come. */
  readonly waitFor?: (op: Op) => Promise<void> | undefined;
  readonly onLink?: (op: LinkOp) => void;
  /** The other end is told of a ref for the first time. @returns what is to be called when it holds the ref no longer */
  readonly onExport?: (ref: Ref<never>, id: number) => (() => void) | undefined;
  /** Called before the end of an actor is told. */
  readonly beforeEnded?: () => void;
  /**
   * The other end is a shard, and so is this one. Such a channel can name no refs but those of replies: any other
   * message is given to this, and `here` is sent in its place.
   */
  readonly relay?: (to: number, message: unknown, waits: boolean) => LinkOp;
  /** The mailbox of a placed actor at the other end is full, or has room again. */
  readonly onRoom?: (id: number, hasRoom: boolean) => void;
  /** A ref that is no actor has thrown at a message. */
  readonly onDefect: (path: string, error: unknown) => void;
}
