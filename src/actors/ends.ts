import { fromEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { ExitReason } from './ref.ts';

/** What who awaits the start of an actor is told when it is stopped before that. */
export function stoppedWhileStarting(path: string): ShoalError {
  return new ShoalError('ACTOR_STOPPED', `${path} was stopped while it started`);
}

/** Why an actor ended that did not stop in time. */
export function abandoned(path: string, afterMs: number, asked: ExitReason | undefined): ExitReason {
  const error = new ShoalError('ACTOR_STOP_TIMEOUT', `${path} did not stop within ${afterMs} ms and was abandoned`, {
    details: { timeoutMs: afterMs },
    cause: asked?.kind === 'error' ? fromEnvelope(asked.error) : undefined,
  });
  return { kind: 'error', error: toEnvelope(error) };
}
