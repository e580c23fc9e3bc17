import type { ErrorEnvelope } from '../errors.ts';

/**
 * The address of an actor, the same wherever the actor lives. Messages are delivered at most once, and in order
 * between two actors. A ref outlives a restart: the next incarnation has the same ref.
 */
export interface Ref<in M> {
  /** Names from the root down, such as `/fleet/router`. */
  readonly path: string;
  /**
   * Puts a message into the actor's mailbox. Messages are plain data and belong to the receiver from then on.
   * @returns false if the message was not taken, because the actor is not running or its mailbox is full. It is then a
   * dead letter.
   */
  tell(message: M): boolean;
}

/** Why an actor ended: `normal` by its own decision, `shutdown` because it was stopped from outside. */
export type ExitReason =
  | { readonly kind: 'normal' }
  | { readonly kind: 'shutdown' }
  /** It was stopped with a limit of 0, which waits for nothing. */
  | { readonly kind: 'killed' }
  | {
      readonly kind: 'error';
      readonly error: ErrorEnvelope;
      /**
       * The same for all actors that ended because of one loss, such as that of the thread that they lived on. Absent
       * if the actor failed by itself.
       */
      readonly lossId?: string;
    };

/** What a watcher is told. */
export interface Exit {
  readonly path: string;
  readonly reason: ExitReason;
}
