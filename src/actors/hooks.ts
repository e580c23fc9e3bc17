import type { ErrorEnvelope } from '../errors.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Exit } from './ref.ts';

/** A message that an actor is about to handle. */
export interface Handling {
  /** The path of the sender; `-` if it was sent outside of an actor's turn, or after an `await` in one. */
  readonly from: string;
  readonly to: string;
  readonly message: unknown;
}

/** Listeners for tracing. A hook that is left out costs nothing. A hook that throws ends no actor. */
export interface Hooks {
  /** An actor starts. `restarts` is 0 for its first start. */
  readonly onSpawn?: ((path: string, restarts: number) => void) | undefined;
  readonly onStop?: ((exit: Exit) => void) | undefined;
  /** An actor is about to handle a message. */
  readonly onMessage?: ((handling: Handling) => void) | undefined;
  /** An actor has ended with an error. */
  readonly onFailure?: ((path: string, error: ErrorEnvelope) => void) | undefined;
  /** A message was not delivered. */
  readonly onDeadLetter?: ((letter: DeadLetter) => void) | undefined;
}

/** The result always has the same shape, so that reading a missing hook costs next to nothing. */
export function guarded({ onSpawn, onStop, onMessage, onFailure, onDeadLetter }: Hooks): Hooks {
  return {
    onSpawn: guard(onSpawn),
    onStop: guard(onStop),
    onMessage: guard(onMessage),
    onFailure: guard(onFailure),
    onDeadLetter: guard(onDeadLetter),
  };
}

function guard<A extends unknown[]>(listener: ((...args: A) => void) | undefined): ((...args: A) => void) | undefined {
  return listener === undefined ? undefined : safe(listener);
}

/** An error in a listener must not end the actor that happens to call it. Node reports it as a warning. */
export function safe<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'ShoalListenerWarning');
    }
  };
}
