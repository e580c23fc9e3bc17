import type { Behaviour, SpawnOptions } from './behaviour.ts';
import type { Overflow } from './mailbox.ts';
import { CAPACITY_DEFAULT, STOP_TIMEOUT_MS_DEFAULT } from './options.ts';

/** What holds for an actor for as long as it is there. */
export interface Terms {
  /** How many messages may wait before the overflow rule applies. */
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly stopTimeoutMs: number;
}

/** Of nearly all actors, which share them. */
const DEFAULT: Terms = { capacity: CAPACITY_DEFAULT, overflow: 'fail', stopTimeoutMs: STOP_TIMEOUT_MS_DEFAULT };

export function termsOf(
  { capacity, overflow, stopTimeoutMs }: SpawnOptions,
  behaviour: Pick<Behaviour<never>, 'stopTimeoutMs'>,
): Terms {
  const limitMs = stopTimeoutMs ?? behaviour.stopTimeoutMs;
  if (capacity === undefined && overflow === undefined && limitMs === undefined) return DEFAULT;
  return {
    capacity: capacity ?? DEFAULT.capacity,
    overflow: overflow ?? DEFAULT.overflow,
    stopTimeoutMs: limitMs ?? DEFAULT.stopTimeoutMs,
  };
}
