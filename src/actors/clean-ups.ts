import { type ErrorEnvelope, toEnvelope } from '../errors.ts';

/** A function, or what is to be disposed of. */
export type CleanUp = (() => undefined | void | Promise<void>) | Disposable | AsyncDisposable;

/** For programs in JavaScript, which pass anything. */
export function isCleanUp(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && (Symbol.asyncDispose in value || Symbol.dispose in value);
}

/** The clean-ups of an actor, the last registered first. A list, because most actors have one, or none. */
export interface CleanUps {
  readonly cleanUp: CleanUp;
  /** Those that were registered before. */
  readonly earlier: CleanUps | undefined;
}

/**
 * Runs what `next` gives, one after the other, until it gives nothing. Never rejects.
 * @returns the first failure, which does not keep the others from running
 */
export async function runEach(next: () => CleanUp | undefined): Promise<ErrorEnvelope | undefined> {
  let failure: ErrorEnvelope | undefined;
  for (let cleanUp = next(); cleanUp !== undefined; cleanUp = next()) {
    const failed = await run(cleanUp);
    failure ??= failed;
  }
  return failure;
}

/** Starts what `next` gives, until it gives nothing, and waits for none of it. */
export function startEach(next: () => CleanUp | undefined): void {
  for (let cleanUp = next(); cleanUp !== undefined; cleanUp = next()) void run(cleanUp);
}

/** @returns how it failed */
async function run(cleanUp: CleanUp): Promise<ErrorEnvelope | undefined> {
  try {
    if (typeof cleanUp === 'function') await cleanUp();
    else if (Symbol.asyncDispose in cleanUp) await cleanUp[Symbol.asyncDispose]();
    else cleanUp[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return toEnvelope(error);
  }
}
