import type { ErrorEnvelope } from '../errors.ts';

/**
 * The address of an actor: the same thing wherever the actor lives. Delivery is at most once, and in order between a pair of
 * actors. A ref outlives a restart: its supervisor puts the next incarnation behind the same ref.
 */
export interface Ref<in M> {
  /** Names from the root down, such as `/fleet/router`. */
  readonly path: string;
  /**
   * Puts a message into the actor's mailbox. Messages are plain data, and owned by the receiver from here on.
   * @returns false if it was not taken (the actor is not running, or its mailbox is full): it is then a dead letter.
   */
  tell(message: M): boolean;
}

/** Why an actor ended. `shutdown` is an orderly stop from outside, `normal` one of its own. */
export type ExitReason =
  | { readonly kind: 'normal' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'error'; readonly error: ErrorEnvelope };

/** What a watcher learns. */
export interface Exit {
  readonly path: string;
  readonly reason: ExitReason;
}
