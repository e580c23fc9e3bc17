import type { Holdable } from './backpressure.ts';
import type { Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Hooks } from './hooks.ts';
import type { Mailbox } from './mailbox.ts';
import type { Scheduler } from './scheduler.ts';

/** What all actors of a system share. */
export interface Kernel {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Messages that an actor handles before the next one gets its turn. */
  readonly throughput: number;
  readonly deadLetters: DeadLetters;
  readonly hooks: Hooks;
  /** The thread that the actors of this system live on. */
  readonly shard: string;
  /** The actor whose turn it is. */
  current: Holdable | undefined;
  mailbox<M>(): Mailbox<M>;
  nextName(): string;
}
