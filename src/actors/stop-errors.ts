import { fromEnvelope, ShoalError } from '../errors.ts';
import { failureReason } from './failure-reason.ts';
import type { ExitReason } from './ref.ts';

/** For whoever awaits the start of an actor that is stopped before it has started. */
export function stoppedWhileStarting(path: string): ShoalError {
  return new ShoalError('ACTOR_STOPPED', `${path} was stopped while it started`);
}

/** Why an actor ended that did not stop in time. @param reason why it was to end */
export function abandoned(path: string, afterMs: number, reason: ExitReason | undefined): ExitReason {
  const error = new ShoalError('ACTOR_STOP_TIMEOUT', `${path} did not stop within ${afterMs} ms and was abandoned`, {
    details: { timeoutMs: afterMs },
    cause: reason?.kind === 'error' ? fromEnvelope(reason.error) : undefined,
  });
  return failureReason(error);
}
