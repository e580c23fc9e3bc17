import { type ErrorEnvelope, toEnvelope } from '../errors.ts';
import type { ExitReason } from './ref.ts';

/** Why an actor ended that failed with `error`, with the loss behind it, if there is one. */
export function failureReason(error: unknown): ExitReason {
  const envelope = toEnvelope(error);
  const lossId = lossIdOf(envelope);
  return lossId === undefined ? { kind: 'error', error: envelope } : { kind: 'error', error: envelope, lossId };
}

/** Whoever reports a loss puts its id into the details of the error, because these cross threads with it. */
function lossIdOf(envelope: ErrorEnvelope): string | undefined {
  for (let error: ErrorEnvelope | undefined = envelope; error !== undefined; error = error.cause) {
    const { lossId } = error.details;
    if (typeof lossId === 'string') return lossId;
  }
  return undefined;
}
