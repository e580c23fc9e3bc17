import type { Pausable } from './backpressure.ts';
import type { ActorSystem } from './behaviour.ts';
import type { Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deadlines } from './deadlines.ts';
import type { Hooks } from './hooks.ts';
import type { Mailbox } from './mailbox.ts';
import type { Pace } from './pace.ts';
import type { Scheduler } from './scheduler.ts';
import type { Observers, Tracing } from './tracing.ts';

/** What all actors of a system share. */
export interface Kernel {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  scheduler: Scheduler;
  readonly pace: Pick<Pace, 'through' | 'run'>;
  /** How many messages an actor handles before the next actor gets its turn. */
  readonly throughput: number;
  readonly deadLetters: DeadLetters;
  readonly hooks: Hooks;
  /** For the actors to come. */
  tracing: Tracing | undefined;
  /** Undefined if nobody looks on while messages are handled. */
  observers: Observers | undefined;
  /** The name of the thread that this system's actors live on. */
  readonly shard: string;
  /** The actor whose turn it is. */
  current: Pausable | undefined;
  mailbox<M>(): Mailbox<M>;
  nextName(): string;
}
