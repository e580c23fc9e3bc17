import { type ErrorEnvelope, fromEnvelope, toEnvelope } from '../errors.ts';
import type { DeadLetter } from './dead-letters.ts';
import { promiseOf } from './promise-of.ts';
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
  /** An actor has failed: it has ended with an error, or it goes on without the message in hand, as its `resumes` says. */
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

/**
 * A listener whose errors end neither the actor that happens to call it nor the process, also if it is async. Node
 * reports the first of them as a warning: it may fail at each of a million messages.
 */
export function safe<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  let isSaid = false;
  const say = (error: unknown): void => {
    if (isSaid) return;
    isSaid = true;
    warn(error);
  };
  return (...args) => {
    try {
      dropResult(listener(...args), say);
    } catch (error) {
      say(error);
    }
  };
}

/** For what a callback returns that is to return nothing: a promise that is rejected would end the process. */
export function dropResult(result: unknown, say = warn): void {
  if (result !== undefined) promiseOf(result)?.catch(say);
}

function warn(error: unknown): void {
  // Whatever was thrown: some values cannot even be made a text.
  process.emitWarning(fromEnvelope(toEnvelope(error)));
}
