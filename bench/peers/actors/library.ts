/** An actor library, as far as it is measured. */
export interface ActorLibrary {
  /** Makes an actor that hands each message to `receive`. */
  spawn(receive: (message: number) => void): Target | Promise<Target>;
  /** Makes an actor that replies with what it is asked; undefined where there is no asking. */
  readonly echo: (() => Ask | Promise<Ask>) | undefined;
  close(): void | Promise<void>;
}

/** Where messages are sent to. What is one already is not wrapped: a closure more would be in both figures. */
export interface Target {
  tell(message: number): unknown;
}

export type Ask = (message: number) => Promise<unknown>;

/** As others do by default or in their examples. */
export const ASK_TIMEOUT_MS = 10_000;
