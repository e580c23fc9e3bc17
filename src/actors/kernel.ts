import type { ErrorEnvelope } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Mailbox } from './mailbox.ts';
import type { Scheduler } from './scheduler.ts';

/** What all actors of a system share. */
export interface Kernel {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly deadLetters: DeadLetters;
  readonly onFailure: (path: string, error: ErrorEnvelope) => void;
  /** The actor whose turn it is. */
  current: { readonly path: string } | undefined;
  mailbox<M>(): Mailbox<M>;
  nextName(): string;
}
