import type { ErrorEnvelope } from '../errors.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Exit } from './ref.ts';

/** A message that an actor begins to handle. */
export interface Handling {
  /** The path of the actor that sent it, or `-`: no actor's turn, or after an `await` in one. */
  readonly from: string;
  readonly to: string;
  readonly message: unknown;
}

/** What a system tells those who trace it. One that is left out costs nothing; one that throws ends no actor. */
export interface Hooks {
  /** An actor starts, for the first time or after so many restarts. */
  readonly onSpawn?: ((path: string, restarts: number) => void) | undefined;
  readonly onStop?: ((exit: Exit) => void) | undefined;
  /** An actor begins to handle a message. */
  readonly onMessage?: ((handling: Handling) => void) | undefined;
  /** An actor has ended with an error. */
  readonly onFailure?: ((path: string, error: ErrorEnvelope) => void) | undefined;
  /** A message has reached nobody. */
  readonly onDeadLetter?: ((letter: DeadLetter) => void) | undefined;
}

/** Always of one shape, so that asking for a hook that is not there costs next to nothing. */
export function guarded({ onSpawn, onStop, onMessage, onFailure, onDeadLetter }: Hooks): Hooks {
  return {
    onSpawn: guard(onSpawn),
    onStop: guard(onStop),
    onMessage: guard(onMessage),
    onFailure: guard(onFailure),
    onDeadLetter: guard(onDeadLetter),
  };
}

/** What a listener throws must not end the actor that happened to call it; Node reports it as a warning. */
function guard<A extends unknown[]>(listener: ((...args: A) => void) | undefined): ((...args: A) => void) | undefined {
  if (listener === undefined) return undefined;
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'ShoalListenerWarning');
    }
  };
}
