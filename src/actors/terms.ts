import type { SpawnOptions } from './behaviour.ts';
import type { Overflow } from './mailbox.ts';
import { CAPACITY_DEFAULT } from './options.ts';

/** What the options of a spawn say of an actor for as long as it is there. */
export interface Terms {
  /** How many messages may wait before the overflow rule applies. */
  readonly capacity: number;
  readonly overflow: Overflow;
  /** Undefined: that of the behaviour, or the default. */
  readonly stopTimeoutMs: number | undefined;
}

/** Of nearly all actors, which share them. */
const DEFAULT: Terms = { capacity: CAPACITY_DEFAULT, overflow: 'fail', stopTimeoutMs: undefined };

export function termsOf({ capacity, overflow, stopTimeoutMs }: SpawnOptions): Terms {
  if (capacity === undefined && overflow === undefined && stopTimeoutMs === undefined) return DEFAULT;
  return { capacity: capacity ?? DEFAULT.capacity, overflow: overflow ?? DEFAULT.overflow, stopTimeoutMs };
}
