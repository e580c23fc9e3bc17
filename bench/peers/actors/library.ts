/** The part of an actor library that is measured. */
export interface ActorLibrary {
  /** Makes an actor that hands each message to `receive`. */
  spawn(receive: (message: number) => void): Target | Promise<Target>;
  /** Makes an actor that replies with the question; undefined if the library has no ask. */
  readonly echo: (() => Ask | Promise<Ask>) | undefined;
  close(): void | Promise<void>;
}

/** The target of messages. Library objects that have `tell` are not wrapped, since a closure would add to the figure. */
export interface Target {
  tell(message: number): unknown;
}

export type Ask = (message: number) => Promise<unknown>;

/** The setting that others use by default or in their examples. */
export const ASK_TIMEOUT_MS = 10_000;
